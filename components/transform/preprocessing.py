"""What TFX Transform computes: the label vocabulary, and nothing else.

Images are decoded and resized by `models.data.image_decoding` in training and serving alike;
materialising float pixels here would cost six times the time and twenty times the disk.
"""

from typing import Final

import tensorflow as tf
import tensorflow_transform as tft

from models.data import example_schema

VOCABULARY: Final = "labels"
"""Name of the vocabulary in the transform graph."""
VOCABULARY_FORMAT: Final = "tfrecord_gzip"
"""A text file would silently drop class names with a line break."""


def preprocessing_fn(inputs: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
    """Analyses the training split's labels.

    Args:
        inputs: `label`, string [n] or [n, 1].

    Returns:
        `label` unchanged: Transform demands an output, and nothing is materialised.
    """
    label = inputs[example_schema.LABEL]
    tft.vocabulary(label, vocab_filename=VOCABULARY, file_format=VOCABULARY_FORMAT)
    return {example_schema.LABEL: label}
