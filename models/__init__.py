"""Keras models and their training; knows nothing of TFX."""
