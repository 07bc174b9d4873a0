"""Which of several backbones suits the data."""
