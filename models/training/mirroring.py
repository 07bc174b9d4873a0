"""Finds out whether a mirrored image still shows its class.

A mirrored shoe is a shoe; a mirrored 2 is nothing. The head that was trained on unmirrored images
tells: where it fails on mirrored validation images, the mirror is no view to train on.
"""

from typing import Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.inference import compiled_forward
from models.training.augmentation import mirrored
from models.training.image_split import ImageSplit
from models.training.training_task import TrainingTask, with_head

MIRROR_IMAGES: Final = 512
"""Validation images looked at: enough for a standard error of 2 points, seconds on a CPU."""
_BATCH: Final = 32
_MOST_LOST: Final = 0.05
"""Accuracy that mirroring may cost and still count as harmless."""

Mirror = tuple[bool, str]
"""Whether changed views may be mirrored, and why, in words."""


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


def try_mirror(task: TrainingTask, head: keras.Model) -> Mirror:
    """Finds out whether changed views may be mirrored.

    Args:
        task: with the backbone as it was pretrained.
        head: trained on the frozen features.
    """
    if not task.settings.augment:
        return False, "images are not changed: augment is off"
    validation = task.embeddings.validation
    logits = head.predict(validation.embeddings[:MIRROR_IMAGES], verbose=0)
    accuracy = _accuracy(logits, validation.classes[:MIRROR_IMAGES])
    classifier = with_head(task.backbone.model, head)
    on_mirrored = mirrored_accuracy(classifier, task.validation)
    harmless = is_harmless(accuracy, on_mirrored)
    verdict = "changed views are mirrored, too" if harmless else "changed views are not mirrored"
    return harmless, (
        f"{verdict}: the head answers {accuracy:.1%} of validation images rightly, "
        f"{on_mirrored:.1%} when they are mirrored"
    )


def _accuracy(logits: NDArray[np.float32], classes: NDArray[np.integer]) -> float:
    return float(np.mean(logits.argmax(axis=1) == classes))
