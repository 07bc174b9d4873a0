"""Distances to training images, the same to the last bit however many images are asked for at once.

Projections are rounded to multiples of 1/32 and cut at 350 of them. Sums of products of such whole
numbers are exact in float32, in whatever order a library adds them up.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.observation.reference import MOST_DIRECTIONS, Reference

STEP: Final = 32.0
"""Steps of the rounding in a standard deviation."""
_MOST: Final = 350
"""One and a half times 64 squares of such numbers is less than 2^24."""
_ANCHORS: Final = 1000
"""Training images that distances are measured to; more are no better."""
_REGIONS: Final = 24
_ROUNDS: Final = 20
_CHUNK: Final = 2048


class Distances:
    """Where images lie among the training images of a reference.

    Attributes:
        regions: number of regions that the space is divided into; 0 without training images.
    """

    def __init__(self, reference: Reference) -> None:
        """Sorts the training images by class, and divides them into regions."""
        chosen = np.unique(np.linspace(0, len(reference.anchors) - 1, _ANCHORS).round().astype(int))
        order = chosen[np.argsort(reference.anchor_labels[chosen], kind="stable")]
        anchors = whole(reference.anchors[order])
        labels = reference.anchor_labels[order]
        self._anchors = _with_halves(anchors)
        classes, self._starts = np.unique(labels, return_index=True)
        self._column = np.full(len(reference.classes), -1)
        self._column[classes] = np.arange(len(classes))
        self._centres = _with_halves(_centres(anchors))
        self.regions = self._centres.shape[1]

    def of(
        self, projections: NDArray[np.float16], class_ids: NDArray[np.integer]
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        """Places images.

        Args:
            projections: [m, c].
            class_ids: the classes that the images were given, int [m].

        Returns:
            Distance to the nearest training image, distance to the nearest one of the class given
            (NaN where it has none), and the region, each float64 [m].
        """
        parts = [
            self._some(projections[at : at + _CHUNK], class_ids[at : at + _CHUNK])
            for at in range(0, len(projections), _CHUNK)
        ]
        nearest, own, region = (np.concatenate(each) for each in zip(*parts, strict=True))
        return nearest, own, region

    def _some(
        self, projections: NDArray[np.float16], class_ids: NDArray[np.integer]
    ) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
        points = whole(projections)
        squares = (points.astype(np.float64) ** 2).sum(axis=1)
        ones = np.ones((len(points), 1), np.float32)
        points = np.concatenate([points, ones], axis=1)
        closeness = np.maximum.reduceat(points @ self._anchors, self._starts, axis=1)
        distances = np.sqrt(np.maximum(squares[:, None] - 2 * closeness, 0.0)) / STEP
        columns = self._column[class_ids]
        own = np.where(columns < 0, np.nan, distances[np.arange(len(points)), columns])
        region = (points @ self._centres).argmax(axis=1)
        return distances.min(axis=1), own, region.astype(np.float64)


def _with_halves(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Points [n, c], so that a product is the larger the nearer they are, float32 [c + 1, n]."""
    halves = np.floor((points.astype(np.float64) ** 2).sum(axis=1) / 2)
    return np.concatenate([points.T, halves[None].astype(np.float32) * -1])


def whole(projections: NDArray[Any]) -> NDArray[np.float32]:
    """Projections [m, c] in steps of 1/32, whole numbers, float32 [m, min(c, 64)]."""
    steps = np.rint(projections[:, :MOST_DIRECTIONS].astype(np.float32) * np.float32(STEP))
    return np.clip(steps, -_MOST, _MOST)


def _centres(anchors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Centres of regions with about as many training images each, by Lloyd's algorithm."""
    count = min(_REGIONS, len(anchors) // 4)
    if not count:
        return anchors[:0]
    chosen = np.random.default_rng(0).choice(len(anchors), count, replace=False)
    centres = anchors[chosen]
    for _ in range(_ROUNDS):
        nearest = (anchors @ centres.T - (centres**2).sum(axis=1) / 2).argmax(axis=1)
        sums = np.zeros(centres.shape)
        np.add.at(sums, nearest, anchors)
        sizes = np.bincount(nearest, minlength=count)[:, None]
        moved = np.rint(sums / np.maximum(sizes, 1)).astype(np.float32)
        centres = np.where(sizes > 0, moved, centres)
    # Neighbours in the order of the widest direction, so that patterns of ranks are simple ones.
    return centres[np.argsort(centres[:, 0], kind="stable")]
