"""Bets that ranks are not uniform: what a stake of 1 becomes with the rank of the next image.

A bet is a density on 0..1, so a stake stays what it is on average while ranks are uniform. The
fixed ones here say that images lie higher or lower than they did, all of them or a part, and win
from the first image on (densities of the power family: V. Vovk, R. Wang, "E-values: calibration,
combination and applications", 2021). `learned_bets` are the others, and the classes that images are
given have `class_shares` in the place of the fixed ones, as they have no order.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.class_shares import STARTS
from monitoring.evidence.learned_bets import MEMORIES, LearnedBets

_STEPS: Final = 4096
"""A rank is rounded down to a multiple of one in so many."""
_MOVED: Final = ((0.9, 0.35), (0.9, 0.65), (0.2, 0.15), (0.5, 0.65), (0.2, 0.35))
"""Share of the images that moved, and the exponent of their ranks: the less, the farther."""


def _fixed() -> NDArray[np.float64]:
    """Float64 [_STEPS, 10]: those that images lie higher, then those that they lie lower."""
    ends = np.linspace(0.0, 1.0, _STEPS + 1)
    # The mean of the density exponent · p^(exponent - 1) within each step.
    higher = [(1 - share) + share * _STEPS * np.diff(ends**exponent) for share, exponent in _MOVED]
    return np.stack([*higher, *(each[::-1] for each in higher)], axis=1)


_FIXED: Final = _fixed()
HIGHER: Final = slice(0, len(_MOVED))
FIXED: Final = slice(0, 2 * len(_MOVED))
SHARES: Final = slice(0, STARTS)
"""Of the classes that images were given, in the place of the fixed ones."""
LEARNED: Final = slice(FIXED.stop, FIXED.stop + len(MEMORIES))
BETS: Final = LEARNED.stop


def outcomes(
    ranks: NDArray[np.float64], known: NDArray[np.bool_], learned: LearnedBets
) -> NDArray[np.float64]:
    """What a stake of 1 on each bet becomes with each image.

    Args:
        ranks: float64 [m, s] in 0..1.
        known: bool [m, s]; a stake on an unknown rank stays what it is.
        learned: as they were before these images.

    Returns:
        float64 [m, s, BETS].
    """
    won = np.empty((*ranks.shape, BETS))
    won[:, :, FIXED] = _FIXED[np.minimum((ranks * _STEPS).astype(np.int64), _STEPS - 1)]
    won[:, :, LEARNED] = learned.outcomes(ranks)
    won[~known] = 1.0
    return won
