"""Finds out whether a mirrored image still shows its class.

A mirrored shoe is a shoe; a mirrored 2 is nothing. The head that was trained on unmirrored images
tells: where it fails on mirrored validation images, the mirror is no view to train on.
"""

from typing import Final

import keras
import numpy as np
import tensorflow as tf

from models.inference import compiled_forward
from models.training.augmentation import mirrored
from models.training.image_split import ImageSplit

MIRROR_IMAGES: Final = 512
"""Validation images looked at: enough for a standard error of 2 points, seconds on a CPU."""
_BATCH: Final = 32
_MOST_LOST: Final = 0.05
"""Accuracy that mirroring may cost and still count as harmless."""


def mirrored_accuracy(classifier: keras.Model, split: ImageSplit) -> float:
    """Measures a classifier on the mirror images of the first `MIRROR_IMAGES` images of a split.

    Args:
        classifier: from images [n, s, s, 3] to scores [n, k].
        split: not seen in training; at least one image.
    """
    forward = compiled_forward(classifier)
    images = split.encoded().take(MIRROR_IMAGES).map(split.decode, tf.data.AUTOTUNE)
    right = [
        forward(mirrored(pictures)).numpy().argmax(axis=1) == classes
        for pictures, classes in images.batch(_BATCH).prefetch(1).as_numpy_iterator()
    ]
    return float(np.concatenate(right).mean())


def is_harmless(accuracy: float, on_mirrored: float) -> bool:
    """Whether mirrored images still show their classes, by the accuracies on the same images."""
    return accuracy - on_mirrored <= _MOST_LOST
