"""Networks of small tasks, trained as a run does it, from pretrained weights or earlier ones."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.search.small_task import LabelledFile, SmallTask, split_files
from benchmarks.strategies.top_tuning import prepared_backbone
from models.data.image_decoding import ImageSpec, decode_and_resize
from models.head.earlier_head import head_of
from models.training.train import Trained, train
from models.training.training_settings import TrainingSettings

VALIDATION: Final = 0.18
"""Share of the images of a class to validate on."""
_TEST: Final = 25
"""Images of a class to judge on, at most."""
_MOST_CLASSES: Final = 100


def drawn_images(data: Path, images: int, seed: int) -> SmallTask:
    """Draws a task from a folder.

    Args:
        data: folder of labelled images.
        images: of each class, to train and to validate on.
        seed: of what is drawn.
    """
    held = round(VALIDATION * images)
    classes = len(split_files(data, 1, 0, _MOST_CLASSES).labels)
    return split_files(
        data, images - held, held * classes, _MOST_CLASSES, test=_TEST * classes, seed=seed
    )


@dataclass(frozen=True)
class Champion:
    """A network that a later training may begin from.

    Attributes:
        labels: in the order of its outputs.
        file: `.keras` file of it; it has learned from no validation image.
    """

    labels: tuple[str, ...]
    file: Path


def kept_champion(trained: Trained, labels: tuple[str, ...], file: Path) -> Champion:
    """Writes what a later training begins from."""
    (trained.start.model or trained.model).save(file)
    return Champion(labels, file)


def trained_network(
    task: SmallTask,
    folder: Path,
    size: int,
    settings: TrainingSettings,
    seed: int,
    champion: Champion | None = None,
) -> Trained:
    """Trains one, and exports what a run would export.

    Args:
        task: to be learned.
        folder: for all files, made if it is missing; it must be empty.
        size: side in pixels.
        settings: of the training.
        seed: of the training.
        champion: to begin from; None for pretrained weights.
    """
    folder.mkdir(exist_ok=True)
    weights = str(champion.file) if champion else "imagenet"
    prepared = prepared_backbone(task, folder, size, settings, seed, weights=weights)
    training = prepared.training(settings, folder / "training")
    if champion:
        earlier = head_of(keras.saving.load_model(champion.file, compile=False))
        known = earlier.for_classes(champion.labels, task.labels, {})
        training = replace(training, earlier=known)
    return train(training)


def right_answers(
    model: keras.Model, labels: tuple[str, ...], files: tuple[LabelledFile, ...], size: int
) -> NDArray[np.bool_]:
    """Which images a network answers rightly.

    Args:
        model: from images [n, s, s, 3] to an output for each label.
        labels: in the order of its outputs.
        files: to be answered, n of them.
        size: side in pixels.

    Returns:
        bool [n].
    """
    spec = ImageSpec(size)
    contents = (tf.constant(each.path.read_bytes()) for each in files)
    images = np.stack([decode_and_resize(each, spec).numpy() for each in contents])
    answers = model.predict(images, batch_size=64, verbose=0).argmax(axis=1)
    return np.array([labels[answer] for answer in answers]) == [each.label for each in files]
