"""A task of few images of many features, of which those of one class differ most in some."""

import keras
import numpy as np
from numpy.typing import NDArray

from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings, UnlabelledEmbeddings
from models.training.strategies.strategy import Situation
from models.training.training_settings import TrainingSettings

_CENTRES = 0.5 * np.random.default_rng(0).normal(size=(4, 60))
_SHARED = 1.5 * np.random.default_rng(1).normal(size=(6, 60))


def draw(images: int, seed: int, noise: float = 0.5) -> LabelledEmbeddings:
    """Images of four classes in turn."""
    generator = np.random.default_rng(seed)
    classes = np.arange(images) % 4
    own = generator.normal(size=(images, 6)) @ _SHARED
    own += generator.normal(0.0, noise, (images, 60))
    return LabelledEmbeddings((3.0 + _CENTRES[classes] + own).astype(np.float32), classes)


def situation(
    train: int,
    validation: int,
    most: int = 20,
    unlabelled: NDArray[np.float32] | None = None,
    noise: float = 0.5,
) -> Situation:
    """So many images, and the most for which few-shot strategies are tried."""
    task = HeadTask(draw(train, 1, noise), draw(validation, 2, noise), 4)
    others = None if unlabelled is None else UnlabelledEmbeddings(unlabelled, len(unlabelled))
    return Situation(task, TrainingSettings(few_shot_images=most), others)


def accuracy(head: keras.Model, asked: LabelledEmbeddings) -> float:
    """Share of right answers."""
    logits = head.predict(asked.embeddings, verbose=0)
    return float((logits.argmax(axis=1) == asked.classes).mean())
