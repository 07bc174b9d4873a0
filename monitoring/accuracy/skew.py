"""Whether serving answers as training did, shown by images that both have seen."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from models.observation.reference import Reference
from monitoring.observations import Observations

_CLOSE: Final = 0.02
"""Difference of probabilities that another machine or a float16 may make."""
_SHOWN: Final = 20


@dataclass(frozen=True, slots=True)
class SkewReport:
    """Images of the reference that were sent to the server, byte for byte.

    Attributes:
        images: such images.
        other_class: how many of them got another class.
        other_probability: how many got the same class with another probability.
        largest: the largest difference of the probability of the class served.
        digests: some of those that differ, the most different first.
    """

    images: int
    other_class: int
    other_probability: int
    largest: float
    digests: tuple[str, ...]

    @property
    def is_skewed(self) -> bool:
        """Whether any differs."""
        return self.other_class + self.other_probability > 0


def find_skew(reference: Reference, observed: Observations) -> SkewReport:
    """Compares the answers to the same digests.

    Args:
        reference: of the version that answered.
        observed: any answers of it.
    """
    places = {digest: place for place, digest in enumerate(reference.digests)}
    pairs = [
        (row, places[digest])
        for row, digest in enumerate(observed.digests.tolist())
        if digest in places
    ]
    rows, held = np.array(pairs, np.int64).reshape(-1, 2).T
    served = observed.class_ids[rows]
    before = reference.probabilities[held].astype(np.float64)
    own = before[np.arange(len(held)), served]
    gaps = np.abs(own - observed.top_probabilities[rows, 0])
    # Where two classes are about equally likely, either may be served.
    moved = before.max(axis=1, initial=0.0) - own > _CLOSE
    nudged = ~moved & (gaps > _CLOSE)
    order = np.argsort(-(gaps + moved), kind="stable")[:_SHOWN]
    return SkewReport(
        images=len(pairs),
        other_class=int(moved.sum()),
        other_probability=int(nudged.sum()),
        largest=float(gaps.max(initial=0.0)),
        digests=tuple(str(observed.digests[rows[at]]) for at in order if moved[at] or nudged[at]),
    )
