"""How far images lie in the directions in which held-out ones moved when they were made worse.

A reference holds answers to images that were blurred, darkened, turned and so on on purpose
(`models/observation/stress.py`). The direction from the mean of the training images to the mean of
those of one kind is known before the first request, where one that is learned of late takes some
hundred images to be found, and more where only a part of the images changed.
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
        enough = np.flatnonzero(np.bincount(kind, minlength=len(KINDS)) >= _LEAST)
        self.kinds = tuple(KINDS[place] for place in enough)
        centre = whole(reference.anchors).mean(axis=0, dtype=np.float64)
        self._weights = [towards(points[kind == place], centre) for place in enough]

    def of(self, points: NDArray[np.float32]) -> NDArray[np.float64]:
        """Where images [m, c] lie along each, standard deviations, float64 [m, len(kinds)]."""
        return np.stack([along(weights, points) for weights in self._weights], axis=1)
