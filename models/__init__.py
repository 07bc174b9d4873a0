"""Keras models and their training; knows nothing of TFX."""

import os

# TensorFlow reads it when it is imported, and without it goes by the processor. oneDNN rounds
# otherwise than TensorFlow's own code, so all processes of a run must have the same.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
