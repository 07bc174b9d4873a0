"""Where fine-tuning reads its inputs from: cached activations, or the images themselves."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Protocol

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.training.activations import Activations
from models.training.augmentation import changed_views
from models.training.image_split import ImageSplit
from models.training.training_settings import steps_per_epoch

_SHUFFLED = 4096
"""Encoded images from which a streamed epoch draws."""

Batch = tuple[NDArray[np.float32], NDArray[np.integer]]
"""Inputs [b, ...] and class indices [b]."""


class Source(Protocol):
    """What fine-tuning reads.

    Attributes:
        images: number of training images.
        shape: of one input.
    """

    @property
    def images(self) -> int: ...  # noqa: D102

    @property
    def shape(self) -> tuple[int, ...]: ...  # noqa: D102

    def epoch(self, number: int, batch_size: int) -> Iterator[Batch]:
        """Batches of one epoch of training, in an order of its own."""

    def validation(self, batch_size: int) -> Iterator[Batch]:
        """Batches of the validation split, unchanged."""


@dataclass(frozen=True)
class CachedSource:
    """Activations at the cut; each epoch sees another view of an image.

    Attributes:
        train: of the training split.
        validated: of the validation split.
        seed: of the order and of the view that each image starts with.
    """

    train: Activations
    validated: Activations
    seed: int

    @property
    def images(self) -> int:
        """Number of training images."""
        return len(self.train)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image's activations."""
        return self.train.shape

    def epoch(self, number: int, batch_size: int) -> Iterator[Batch]:
        """Batches of one epoch, each image in its next view."""
        count, views = len(self.train), self.train.views
        order = np.random.default_rng([self.seed, number]).permutation(count)
        first = np.random.default_rng(self.seed).integers(0, views, count)
        for step in range(steps_per_epoch(count, batch_size)):
            rows = order[step * batch_size : (step + 1) * batch_size]
            view = (first[rows] + number) % views
            yield self.train.rows(rows, view), self.train.classes[rows]

    def validation(self, batch_size: int) -> Iterator[Batch]:
        """All images in their first view."""
        count = len(self.validated)
        for start in range(0, count, batch_size):
            rows = np.arange(start, min(start + batch_size, count))
            yield self.validated.rows(rows, np.zeros_like(rows)), self.validated.classes[rows]


@dataclass(frozen=True)
class StreamedSource:
    """The images, decoded and changed anew in every epoch.

    Attributes:
        train: the training split.
        validated: the validation split.
        images: number of training images.
        augment: whether images are changed.
        mirror: whether changes include the mirror.
        seed: of the order and the changes.
    """

    train: ImageSplit
    validated: ImageSplit
    images: int
    augment: bool
    mirror: bool
    seed: int

    @property
    def shape(self) -> tuple[int, ...]:
        """Of one image's pixels."""
        return (self.train.spec.size, self.train.spec.size, 3)

    def epoch(self, number: int, batch_size: int) -> Iterator[Batch]:
        """Batches of one epoch, shuffled within a window."""
        generator = np.random.default_rng([self.seed, number])
        order = int(generator.integers(2**31))
        shuffled = self.train.encoded().shuffle(_SHUFFLED, seed=order)
        batches = _decoded(self.train, shuffled, batch_size)
        for images, classes in islice(batches, steps_per_epoch(self.images, batch_size)):
            yield self._changed(images, generator), classes

    def validation(self, batch_size: int) -> Iterator[Batch]:
        """All images as they are."""
        yield from _decoded(self.validated, self.validated.encoded(), batch_size)

    def _changed(
        self, images: NDArray[np.float32], generator: np.random.Generator
    ) -> NDArray[np.float32]:
        if not self.augment:
            return images
        return changed_views(images, generator, mirror=self.mirror)


def _decoded(split: ImageSplit, encoded: tf.data.Dataset, batch_size: int) -> Iterator[Any]:
    decoded = encoded.map(split.decode, tf.data.AUTOTUNE, deterministic=True)
    return decoded.batch(batch_size).prefetch(2).as_numpy_iterator()
