"""Copies of the labelled images that look like the images of another domain."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, fields
from itertools import islice
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from typing_extensions import override

from models import progress
from models.data import example_schema
from models.data.example_reader import read_records
from models.data.image_decoding import ImageSpec, decode_and_resize
from models.data.image_look import LEAST_IMAGES, Likeness, find_likeness
from models.errors import BadDataError
from models.head.evidence import Answers, answers_of
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.inference import compiled_forward
from models.training.image_split import ImageSplit
from models.training.strategies.strategy import Target
from models.training.training_task import TrainingTask

MEASURED: Final = 400
"""Images of each domain, by which their looks are compared."""
MOST_TRAINING: Final = 2000
MOST_VALIDATION: Final = 1000
"""Images of a split that are copied."""
_BATCH: Final = 32
_LEAST_PROBABILITY: Final = 1e-12

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class CopiedSplit(ImageSplit):
    """A split as copies that look like another domain.

    Attributes:
        likeness: how copies are made.
    """

    likeness: Likeness = field(kw_only=True)

    @override
    def finished(self, images: Pixels, generator: np.random.Generator) -> Pixels:
        return self.likeness.applied(images, generator)


def copied_splits(task: TrainingTask, target: Target) -> tuple[CopiedSplit, CopiedSplit]:
    """The training and the validation images that `find_target` copied, as copies."""
    train, validation = (
        CopiedSplit(
            **{each.name: getattr(split, each.name) for each in fields(split)} | {"most": most},
            likeness=target.likeness,
        )
        for split, most in _splits(task)
    )
    return train, validation


def find_target(task: TrainingTask) -> Target | None:
    """Embeds the target, and copies of training and validation images that look like it.

    Args:
        task: its backbone has not been fine-tuned yet.

    Returns:
        The copies have the labels of their originals; None where the task has no target.

    Raises:
        BadDataError: there are too few images of the target.
    """
    if not task.target_uri:
        return None
    theirs = _target(task.target_uri, task.spec)
    likeness = find_likeness(_source(task.train), theirs)
    forward = compiled_forward(task.backbone.model)
    train, validation = (
        LabelledEmbeddings(*_answered(_copies(*each, likeness, task.seed), forward))
        for each in _splits(task)
    )
    batches = np.split(theirs, range(_BATCH, len(theirs), _BATCH))
    embeddings = np.concatenate([forward(tf.constant(each)).numpy() for each in batches])
    copies = HeadTask(train, validation, task.embeddings.classes)
    return Target(embeddings, copies, likeness)


def answers_to_copies(task: TrainingTask, target: Target, classifier: keras.Model) -> Answers:
    """What a fine-tuned model answers to the copies of validation images.

    Args:
        task: of `find_target`.
        target: what that found.
        classifier: from images to probabilities.
    """
    copies = _copies(task.validation, MOST_VALIDATION, target.likeness, task.seed)
    probabilities, classes = _answered(copies, compiled_forward(classifier))
    return answers_of(np.log(np.maximum(probabilities, _LEAST_PROBABILITY)), classes)


def _splits(task: TrainingTask) -> tuple[tuple[ImageSplit, int], tuple[ImageSplit, int]]:
    """What is copied, and how many of it at most."""
    return (task.train, MOST_TRAINING), (task.validation, MOST_VALIDATION)


def _copies(
    split: ImageSplit, most: int, likeness: Likeness, seed: int
) -> Iterator[tuple[Pixels, NDArray[np.int64]]]:
    """Batches of copies with their classes, the same each time."""
    generator = np.random.default_rng(seed)
    done = 0
    for images, known in _decoded(split, most).batch(_BATCH).prefetch(1).as_numpy_iterator():
        yield likeness.applied(images, generator), known
        done += len(known)
        progress.report(done, None, "copies", f"of {split.split} images")


def _answered(
    batches: Iterable[tuple[Pixels, NDArray[np.int64]]], forward: Callable[[Any], Any]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """What a pass makes of all batches, and the classes."""
    found = [(forward(tf.constant(images)).numpy(), known) for images, known in batches]
    answers, classes = zip(*found, strict=True)
    return np.concatenate(answers), np.concatenate(classes)


def _decoded(split: ImageSplit, most: int) -> tf.data.Dataset:
    return split.encoded().take(most).map(split.decode, tf.data.AUTOTUNE, deterministic=True)


def _source(split: ImageSplit) -> Pixels:
    return np.stack([image for image, _ in _decoded(split, MEASURED).as_numpy_iterator()])


def _target(examples_uri: str, spec: ImageSpec) -> Pixels:
    records = [*islice(read_records(examples_uri, example_schema.UNLABELLED), MEASURED)]
    if len(records) < LEAST_IMAGES:
        raise BadDataError(
            f"data.target: {len(records)} images are left without those that are labelled too. "
            f"Expected at least {LEAST_IMAGES}: add images of the other domain."
        )
    return np.stack([decode_and_resize(tf.constant(each.image), spec).numpy() for each in records])
