"""TFX components of Graft, one folder each."""
