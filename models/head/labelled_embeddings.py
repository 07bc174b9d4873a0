"""Embeddings with class indices, as a head is trained on them."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import BadDataError
from models.row_blocks import row_blocks


@dataclass(frozen=True)
class LabelledEmbeddings:
    """One split.

    Attributes:
        embeddings: float32 [n, d].
        classes: int [n], class indices; -1 for a class that the model does not know.
    """

    embeddings: NDArray[np.float32]
    classes: NDArray[np.integer]

    def known(self) -> "LabelledEmbeddings":
        """The rows whose class the model knows."""
        return self.rows(self.classes >= 0)

    def rows(self, chosen: NDArray[Any]) -> "LabelledEmbeddings":
        """Some rows, by their places or by a mask; a mask that takes all of them copies nothing."""
        if chosen.dtype == bool and chosen.all():
            return self
        return LabelledEmbeddings(self.embeddings[chosen], self.classes[chosen])


@dataclass(frozen=True)
class UnlabelledEmbeddings:
    """Embeddings of images without a label.

    Attributes:
        embeddings: float32 [m, d], of those that a head may learn from; [0, 0] where none does.
        images: number of all that there are, which a fine-tuning may learn from.
    """

    embeddings: NDArray[np.float32]
    images: int


@dataclass(frozen=True)
class HeadTask:
    """What heads are trained and chosen on.

    Attributes:
        train: at least one row; every class index is known.
        validation: at least one row; every class index is known.
        classes: number of classes k, at least 2.
    """

    train: LabelledEmbeddings
    validation: LabelledEmbeddings
    classes: int

    def __post_init__(self) -> None:
        for name, split in (("training", self.train), ("validation", self.validation)):
            if len(split.embeddings) == 0:
                raise BadDataError(
                    f"There is no {name} image of a known class, so heads cannot be compared. "
                    "Add images, or let Graft make the split (data.validation_fraction)."
                )
            if not all(np.isfinite(block).all() for block in row_blocks(split.embeddings)):
                raise BadDataError(f"The {name} embeddings hold values that are not finite.")

    @cached_property
    def labelled(self) -> LabelledEmbeddings:
        """Training and validation images together, training first."""
        splits = self.train, self.validation
        return LabelledEmbeddings(
            np.concatenate([each.embeddings for each in splits]),
            np.concatenate([each.classes for each in splits]),
        )

    def class_weights(self, kind: str) -> NDArray[np.float32]:
        """Weight of each class in the training loss, float32 [k].

        Args:
            kind: "none" for ones; "balanced" for n / (k · count), the weights of scikit-learn,
                with which every class weighs the same in all. A class without images gets 1.
        """
        counts = np.bincount(self.train.classes, minlength=self.classes)
        if kind == "none":
            return np.ones(self.classes, np.float32)
        weights = len(self.train.classes) / (self.classes * np.maximum(counts, 1))
        return np.where(counts > 0, weights, 1.0).astype(np.float32)


def fingerprint(splits: Mapping[str, tuple[Iterable[str], Iterable[str]]]) -> str:
    """Digest of which images with which labels are in which split, whatever their order.

    Args:
        splits: name of the split to the images' content hashes and labels.

    Returns:
        64 hex digits.
    """
    rows = sorted(
        f"{name}\0{sha256}\0{label}"
        for name, (hashes, labels) in splits.items()
        for sha256, label in zip(hashes, labels, strict=True)
    )
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()
