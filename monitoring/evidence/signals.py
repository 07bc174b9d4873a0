"""The numbers that are watched of each image."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from models.observation.reference import Reference
from models.observation.signal_names import IMAGE_SIGNALS
from monitoring.evidence.directions import BORDERS
from monitoring.evidence.distances import Distances, whole
from monitoring.evidence.grids import CELLS, cells_of, even, widening, widening_both_ways
from monitoring.evidence.known_changes import KnownChanges
from monitoring.observations import Observations

_COMPONENTS: Final = 4
_DISTANCE: Final = widening(0.25, 250.0)
_LEAST_DOUBT: Final = 1e-4
"""Smaller probabilities are too coarse as float16."""
_GREY_LEVEL: Final = 1 / 255
_OF_PICTURE: Final = widening(_GREY_LEVEL / 4, 1.0)
_CONTRAST: Final = IMAGE_SIGNALS.index("contrast")
_SHARPNESS: Final = IMAGE_SIGNALS.index("sharpness")
DISTANCES: Final = ("distance to the class given", "distance to known images")
CLASS_GIVEN: Final = "class given"
REGION: Final = "region"


@dataclass(frozen=True)
class Signal:
    """One number of an image.

    Attributes:
        name: as it is shown.
        weight: share of the stakes, relative to the others'.
        borders: of the cells that it is ranked by.
        classes: it is the number of a class or of a region, with no order.
    """

    name: str
    weight: float
    borders: NDArray[np.float64]
    classes: bool = False


DIRECTION: Final = Signal("direction of late", 1.0, np.zeros(0))
"""Not one of `Signals.all`: see `directions`."""


class Signals:
    """All that is watched.

    Attributes:
        all: in the order of the columns.
    """

    def __init__(self, reference: Reference) -> None:
        """Takes the training images' projections."""
        self._distances = Distances(reference) if reference.anchors.size else None
        self._changes = KnownChanges(reference)
        self._components = min(_COMPONENTS, reference.projections.shape[1])
        steps = even(-0.5, CELLS - 2.5)
        picture = dict.fromkeys(IMAGE_SIGNALS, _OF_PICTURE)
        picture["warmth"] = widening_both_ways(_GREY_LEVEL / 4, 1.0)
        self.all = (
            *(Signal(name, 1.0, _DISTANCE) for name in DISTANCES),
            Signal("confidence", 1.0, 1.0 - widening(_LEAST_DOUBT, 1.0)[::-1]),
            Signal(
                "entropy", 1.0, widening(_LEAST_DOUBT, float(np.log(1 + len(reference.classes))))
            ),
            *(
                Signal(f"component {number + 1}", 1.0, even(-8.0, 8.0))
                for number in range(self._components)
            ),
            *(Signal(name, 1.0, picture[name]) for name in IMAGE_SIGNALS),
            *(Signal(f"like {kind} images", 0.5, BORDERS) for kind in self._changes.kinds),
            Signal("sharpness for its contrast", 1.0, widening(1e-3, 10.0)),
            Signal(CLASS_GIVEN, 4.0, steps, classes=True),
            Signal(REGION, 1.0, steps, classes=True),
        )

    def of(self, observations: Observations) -> NDArray[np.float64]:
        """Reads the numbers off the answers.

        Returns:
            float64 [m, s]; NaN where the model did not say.
        """
        served = np.where(
            observations.top_ids[:, 0] < 0, np.nan, observations.top_probabilities[:, 0]
        )
        return self._table(
            observations.projections,
            observations.class_ids,
            served,
            observations.entropies,
            observations.signals,
        )

    def held_out(self, reference: Reference) -> NDArray[np.float64]:
        """The same of the reference's images, float64 [n, s]."""
        others = np.sort(reference.probabilities.astype(np.float64), axis=1)[:, :-1]
        # As float16 the largest would be too coarse where the model is sure; the others are not.
        confidences = np.maximum(1.0 - others.sum(axis=1), others.max(axis=1))
        entropies = entr(others).sum(axis=1) + entr(confidences)
        return self._table(
            reference.projections,
            reference.probabilities.argmax(axis=1),
            confidences,
            entropies,
            reference.signals,
        )

    def cells(self, numbers: NDArray[np.float64]) -> NDArray[np.int16]:
        """The cells that images are ranked by, int16 [m, s], of numbers [m, s]."""
        columns = [
            cells_of(numbers[:, column], signal.borders) for column, signal in enumerate(self.all)
        ]
        return np.stack(columns, axis=1)

    def _table(
        self,
        projections: NDArray[np.float16],
        class_ids: NDArray[np.integer],
        confidences: NDArray[Any],
        entropies: NDArray[Any],
        pictures: NDArray[np.float32],
    ) -> NDArray[np.float64]:
        table = np.full((len(class_ids), len(self.all)), np.nan)
        if not len(class_ids):
            return table
        if self._distances:
            known = np.isfinite(projections).all(axis=1)
            points = whole(projections[known])
            places = self._distances.of(points, class_ids[known])
            table[known, 1], table[known, 0], table[known, -1] = places
            if self._changes.kinds:
                table[known, -3 - len(self._changes.kinds) : -3] = self._changes.of(points)
        table[:, 2], table[:, 3] = confidences, entropies
        pictures_from = 4 + self._components
        table[:, 4:pictures_from] = projections[:, : self._components]
        table[:, pictures_from : pictures_from + len(IMAGE_SIGNALS)] = pictures
        contrast, sharpness = pictures[:, _CONTRAST], pictures[:, _SHARPNESS]
        table[:, -3] = sharpness / np.maximum(contrast, _GREY_LEVEL)
        table[:, -2] = class_ids
        return table
