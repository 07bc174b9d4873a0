"""How far images lie in the directions in which held-out ones moved when they were made worse.

A reference holds answers to images that were blurred, darkened, turned and so on on purpose
(`models/observation/stress.py`). The direction from the mean of the training images to the mean of
those of one kind is known before the first request, where one that is learned of late takes some
hundred images to be found, and more where only a part of the images changed.

The reference's images must not lie otherwise along a direction than new ones do, only because it
was learned from some of them. So a kind whose images hardly moved has none: what would be left is
what these images happen to be like.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.observation.reference import Reference
from models.observation.stress import KINDS
from monitoring.evidence.directions import along, towards
from monitoring.evidence.distances import whole

_LEAST: Final = 20
"""Images made worse in one way, below which their mean says too little."""
_CLEAR: Final = 10.0
"""Times that the square of how far they moved has to exceed what chance alone gives."""


class KnownChanges:
    """A direction for each kind of change.

    Attributes:
        kinds: those that the reference has images of.
    """

    def __init__(self, reference: Reference) -> None:
        """Learns the directions."""
        self.kinds: tuple[str, ...] = ()
        stressed = reference.stressed
        if stressed is None or not len(reference.anchors):
            return
        points, kind = whole(stressed.projections), stressed.changes // 2
        anchors = whole(reference.anchors)
        moved = {
            place: points[kind == place]
            for place in range(len(KINDS))
            if _is_clear(points[kind == place], anchors)
        }
        centre = anchors.mean(axis=0, dtype=np.float64)
        self.kinds = tuple(KINDS[place] for place in moved)
        self._weights = [towards(each, centre) for each in moved.values()]

    def of(self, points: NDArray[np.float32]) -> NDArray[np.float64]:
        """Where images [m, c] lie along each, standard deviations, float64 [m, len(kinds)]."""
        return np.stack([along(weights, points) for weights in self._weights], axis=1)


def _is_clear(moved: NDArray[np.float32], anchors: NDArray[np.float32]) -> bool:
    """Whether images moved by clearly more than two samples of the same images differ."""
    if len(moved) < _LEAST:
        return False
    gap = moved.mean(axis=0, dtype=np.float64) - anchors.mean(axis=0, dtype=np.float64)
    chance = sum(each.var(axis=0, dtype=np.float64).sum() / len(each) for each in (moved, anchors))
    return bool(gap @ gap > _CLEAR * chance)
