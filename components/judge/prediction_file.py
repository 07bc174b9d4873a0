"""The answers of one model, and the file that keeps them."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models import metrics

FILE_NAME: Final = "predictions.npz"
"""Arrays `names`, `labels` (true class names), `classes` and `probabilities`."""


@dataclass(frozen=True)
class Predictions:
    """Answers of one model.

    Attributes:
        names: names of the images, n of them.
        labels: their true class names, n of them.
        classes: the model's class names in the order of its outputs, k of them.
        probabilities: float32 [n, k].
    """

    names: list[str]
    labels: list[str]
    classes: tuple[str, ...]
    probabilities: NDArray[np.float32]

    def where(self, rows: NDArray[np.bool_]) -> "Predictions":
        """The answers to some of the images, bool [n]."""
        places = np.flatnonzero(rows)
        return Predictions(
            [self.names[place] for place in places],
            [self.labels[place] for place in places],
            self.classes,
            self.probabilities[places],
        )

    # Asked for image by image: found anew each time, that would take the square of their number.
    @cached_property
    def truth(self) -> metrics.Integers:
        """Class indices of the labels, int [n]; -1 for a class that the model lacks."""
        return metrics.class_indices(self.labels, self.classes)

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        """Whether each image is answered rightly, bool [n]."""
        return metrics.is_right(self.truth, self.probabilities)


def save_predictions(path: Path, predictions: Predictions) -> None:
    """Writes `predictions` as a compressed NumPy archive."""
    np.savez_compressed(
        path,
        names=np.array(predictions.names, str),
        labels=np.array(predictions.labels, str),
        classes=np.array(predictions.classes, str),
        probabilities=predictions.probabilities,
    )


def load_predictions(path: Path) -> Predictions:
    """Reads what `save_predictions` wrote."""
    with np.load(path) as arrays:
        return Predictions(
            names=_texts(arrays["names"]),
            labels=_texts(arrays["labels"]),
            classes=tuple(_texts(arrays["classes"])),
            probabilities=arrays["probabilities"],
        )


def _texts(array: NDArray[Any]) -> list[str]:
    return [str(value) for value in array]
