"""Files with which the schedulers that teams have start runs of Graft."""
