"""Whether one class is answered by a fixed part of the picture, such as a watermark or a date.

Each part of a few test images of each class is covered with what the images of all classes show
there on average. Where this takes away the right answers of one class, and hardly any of the
others, the part may be a shortcut, or just where the thing is. The part of such images, put into
images of other classes, tells them apart: a watermark turns those answers to its class too
(R. Geirhos et al., "Shortcut Learning in Deep Neural Networks", 2020, on shortcuts; M. Zeiler and
R. Fergus, "Visualizing and Understanding Convolutional Networks", 2014, on covering).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_CELLS: Final = 4
_ROWS: Final = ("top", "upper middle", "lower middle", "bottom")
_COLUMNS: Final = ("left", "middle left", "middle right", "right")
_LEAST_LOSS: Final = 0.1
"""Probability that a class must lose by covering more than any other class does."""
_LEAST_GAIN: Final = 0.15
"""Probability that it must gain by putting the part into images of other classes."""

Floats = NDArray[np.float32]
Answer = Callable[[Floats], Floats]
"""From images float32 [n, s, s, 3], 0..255, to probabilities float32 [n, k]."""


@dataclass(frozen=True)
class Region:
    """A part of the picture, by its share of the side: from top and left to bottom and right."""

    words: str
    top: float
    left: float
    bottom: float
    right: float

    def area(self, side: int) -> tuple[slice, slice, slice]:
        """Where it lies in an image [..., side, side, 3] without its first axis."""
        ends = [round(each * side) for each in (self.top, self.bottom, self.left, self.right)]
        return slice(None), slice(ends[0], ends[1]), slice(ends[2], ends[3])


def _regions() -> tuple[Region, ...]:
    step = 1 / _CELLS
    cells = [
        Region(f"{_ROWS[row]}, {_COLUMNS[column]}", *_cell(row, column))
        for row in range(_CELLS)
        for column in range(_CELLS)
    ]
    edges = [
        Region("the top edge", 0.0, 0.0, step, 1.0),
        Region("the bottom edge", 1.0 - step, 0.0, 1.0, 1.0),
        Region("the left edge", 0.0, 0.0, 1.0, step),
        Region("the right edge", 0.0, 1.0 - step, 1.0, 1.0),
    ]
    return (*cells, *edges)


def _cell(row: int, column: int) -> tuple[float, float, float, float]:
    return row / _CELLS, column / _CELLS, (row + 1) / _CELLS, (column + 1) / _CELLS


REGIONS: Final = _regions()


@dataclass(frozen=True)
class Shortcut:
    """A class that is answered by a part of the picture.

    Attributes:
        label: of the class.
        region: the part, in words.
        images: of the class that were looked at.
        loss: probability of the class that its images lose when the part is covered, 0..1.
        others_loss: what the images of the next class lose of theirs.
        gain: probability of the class that images of others gain when they are given the part.
    """

    label: str
    region: str
    images: int
    loss: float
    others_loss: float
    gain: float


def find_shortcuts(
    images: Floats, classes: NDArray[np.integer], labels: tuple[str, ...], answer: Answer
) -> tuple[Shortcut, ...]:
    """Covers each part of each image, and looks whose answers go.

    Args:
        images: that are answered rightly, a few of each class, float32 [n, s, s, 3], 0..255.
        classes: of them, int [n], of at least two classes.
        labels: class names in the order of the model's outputs.
        answer: the model.

    Returns:
        The worst part of each class that has one, the worst first.
    """
    plain = answer(images)
    losses = _losses(images, classes, plain, answer)
    present = np.unique(classes)
    by_class = np.stack([losses[classes == each].mean(axis=0) for each in present])
    found: dict[int, Shortcut] = {}
    for number, region in enumerate(REGIONS):
        second, first = np.argsort(by_class[:, number])[-2:]
        loss, others = by_class[first, number], by_class[second, number]
        if loss - others < _LEAST_LOSS:
            continue
        chosen = int(present[first])
        gain = _gain(images, classes, chosen, region, plain, answer)
        shortcut = Shortcut(
            label=labels[chosen],
            region=region.words,
            images=int((classes == chosen).sum()),
            loss=float(loss),
            others_loss=float(others),
            gain=gain,
        )
        before = found.get(chosen)
        if gain >= _LEAST_GAIN and (before is None or before.gain < gain):
            found[chosen] = shortcut
    return tuple(sorted(found.values(), key=lambda each: -each.gain))


def _losses(images: Floats, classes: NDArray[np.integer], plain: Floats, answer: Answer) -> Floats:
    """What the probability of the right class loses by covering each region, [n, regions].

    Beside the plain answers, as the images are.
    """
    rows = np.arange(len(images))
    means = [images[classes == each].mean(axis=0) for each in np.unique(classes)]
    backdrop = np.stack(means).mean(axis=0, keepdims=True)
    losses = []
    for region in REGIONS:
        area = region.area(images.shape[1])
        covered = images.copy()
        covered[area] = backdrop[area]
        losses.append((plain - answer(covered))[rows, classes])
    return np.stack(losses, axis=1)


def _gain(
    images: Floats,
    classes: NDArray[np.integer],
    chosen: int,
    region: Region,
    plain: Floats,
    answer: Answer,
) -> float:
    """What the probability of a class gains in images of others that are given its region."""
    others, givers = images[classes != chosen], images[classes == chosen]
    area = region.area(images.shape[1])
    given = others.copy()
    given[area] = np.resize(givers, others.shape)[area]
    return float((answer(given) - plain[classes != chosen])[:, chosen].mean())
