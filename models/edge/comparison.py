"""How exported models do on the test split, against the model that they were made from."""

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models import progress
from models.edge.contract import Runner
from models.errors import GraftError
from models.intervals import Interval, share_interval
from models.metrics import Integers, PairedDrop, is_right, paired_drop


@dataclass(frozen=True)
class EdgeFigures:
    """One exported model against the served one, on the same images.

    Attributes:
        accuracy: share answered rightly.
        accuracy_interval: 95 %; see `models.intervals`.
        drop: of the accuracy, below the served model's.
        agreement: share of the images to which both give the same class.
        largest_difference: of any probability.
        milliseconds: of one image on one core, the median.
    """

    accuracy: float
    accuracy_interval: Interval
    drop: PairedDrop
    agreement: float
    largest_difference: float
    milliseconds: float


def compare(
    models: Mapping[str, Runner],
    images: Iterable[NDArray[np.float32]],
    truth: Integers,
    served: NDArray[np.float32],
) -> dict[str, EdgeFigures]:
    """Asks each model about each image.

    Args:
        models: by name.
        images: n of float32 [s, s, 3], RGB in 0..255; read once, one at a time.
        truth: class indices, int [n]; -1 for a class that the models do not know.
        served: probabilities of the served model, float32 [n, k].

    Raises:
        GraftError: there is no image.
    """
    if not len(truth):
        raise GraftError("There is no test image to compare the models on.")
    answers: dict[str, list[NDArray[np.float32]]] = {name: [] for name in models}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for done, image in enumerate(images, start=1):
        for name, model in models.items():
            started = time.perf_counter()
            answers[name].append(model.probabilities(image))
            seconds[name].append(time.perf_counter() - started)
        progress.report(done, len(truth), "images")
    return {
        name: _figures(np.stack(answers[name]), truth, served, float(np.median(seconds[name])))
        for name in models
    }


def _figures(
    answers: NDArray[np.float32], truth: Integers, served: NDArray[np.float32], seconds: float
) -> EdgeFigures:
    right = is_right(truth, answers)
    return EdgeFigures(
        accuracy=float(right.mean()),
        accuracy_interval=share_interval(int(right.sum()), len(truth)),
        drop=paired_drop(is_right(truth, served), right),
        agreement=float((answers.argmax(axis=1) == served.argmax(axis=1)).mean()),
        largest_difference=float(np.abs(answers - served).max()),
        milliseconds=1000 * seconds,
    )
