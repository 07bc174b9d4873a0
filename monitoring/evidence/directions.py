"""Directions in which images have moved of late: a classifier of two samples, learned as it goes.

Every so many images a direction is learned, from the mean of the training images to that of the
latest ones (projections have unit variance, so this is Fisher's). Images that come later are ranked
along it among the reference's images, neither of which had a part in it. That is a sequential
two-sample test with a classifier (A. Podkopaev, A. Ramdas, "Sequential predictive two-sample and
independence testing", 2023), which finds a shift that is spread over many numbers, too little in
each to see. A direction lives until its slot is needed for a newer one of its kind.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.distances import STEP, cut
from monitoring.evidence.grids import cells_of, widening_both_ways


@dataclass(frozen=True)
class Kind:
    """Directions that are learned alike.

    Attributes:
        window: images that one is learned from.
        interval: images between two of them; a multiple of `INTERVAL`.
        first: the first of its slots.
        slots: directions at a time.
    """

    window: int
    interval: int
    first: int
    slots: int


KINDS: Final = (Kind(32, 32, 0, 3), Kind(256, 128, 3, 4))
"""The first are for shifts of all images, the others for those of a few."""
SLOTS: Final = sum(kind.slots for kind in KINDS)
INTERVAL: Final = min(kind.interval for kind in KINDS)
"""Images after which a direction may be learned."""
WINDOW: Final = max(kind.window for kind in KINDS)
MOST_RANKED: Final = 600
"""Images of the reference that images are ranked among along a direction."""
BORDERS: Final = widening_both_ways(1 / 64, 64.0)
"""Of the cells of places along a direction."""


def towards(points: NDArray[np.float32], centre: NDArray[np.float64]) -> NDArray[np.float32]:
    """The direction from a centre [c] to the mean of images [m, c], as whole numbers, [c]."""
    difference = points.sum(axis=0, dtype=np.float64) / len(points) - centre
    largest = float(np.abs(difference).max(initial=0.0))
    return cut(difference * (350.0 / largest)) if largest else np.zeros(len(centre), np.float32)


def along(weights: NDArray[np.float32], points: NDArray[np.float32]) -> NDArray[np.float64]:
    """Where images [m, c] lie along a direction, standard deviations, float64 [m]; NaN for none."""
    length = float(np.sqrt((weights.astype(np.float64) ** 2).sum()))
    # Products of many rows with one vector are not worth the threads of a BLAS.
    products = np.einsum("ij,j->i", points, weights)
    return products / (length * STEP) if length else np.full(len(points), np.nan)


class Directions:
    """The directions.

    Attributes:
        weights: whole numbers, float32 [SLOTS, c]; zeros for none yet.
    """

    def __init__(self, centre: NDArray[np.float64]) -> None:
        """Begins with none.

        Args:
            centre: mean of the training images, in whole steps, [c].
        """
        self._centre = centre
        self.weights = np.zeros((SLOTS, len(centre)), np.float32)

    def learn(self, slot: int, points: NDArray[np.float32]) -> None:
        """Learns one from the latest images, [m, c] in whole steps."""
        self.weights[slot] = towards(points, self._centre)

    def along(self, slot: int, points: NDArray[np.float32]) -> NDArray[np.float64]:
        """Where images [m, c] lie along one, standard deviations, float64 [m]; NaN for none."""
        return along(self.weights[slot], points)

    def cells(self, points: NDArray[np.float32]) -> NDArray[np.int16]:
        """Where images [m, c] lie along each, as cells, int16 [m, SLOTS]."""
        columns = [self.cells_along(slot, points) for slot in range(SLOTS)]
        return np.stack(columns, axis=1)

    def cells_along(self, slot: int, points: NDArray[np.float32]) -> NDArray[np.int16]:
        """Where images [m, c] lie along one, as cells, int16 [m]."""
        return cells_of(self.along(slot, points), BORDERS)
