"""Bets that ranks are not uniform: what a stake of 1 becomes with the rank of the next image.

A bet is a density on 0..1, so a stake stays what it is on average while ranks are uniform. Two
kinds: fixed ones, that images lie higher or lower than they did, all of them or a part, which win
from the first image on; and learned ones, that ranks go on lying where they lay, whatever the
pattern. (Densities of the power family: V. Vovk, R. Wang, "E-values: calibration, combination and
applications", 2021. Learned histograms: V. Fedorova et al., "Plug-in martingales for testing
exchangeability on-line", 2012.)
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

STEPS: Final = 4096
"""A rank is rounded down to a multiple of one in so many before it is bet on."""
BINS: Final = 16
"""Of the learned bets."""
LEARNING: Final = 32
"""Images between two updates of the learned bets."""

_FIXED: Final = ((0.9, 0.35), (0.9, 0.65), (0.2, 0.15))
"""Share of the images that moved, and the exponent of their ranks: the less, the farther."""
_MEMORIES: Final = (150, 1000)
"""Images that a learned bet goes by."""
_CAUTION: Final = 4.0
"""Images, in each bin, that a learned bet believes to have seen beforehand."""


def fixed_bets() -> NDArray[np.float64]:
    """The fixed bets.

    Returns:
        float64 [STEPS, 6], each column with mean 1.
    """
    ends = np.linspace(0.0, 1.0, STEPS + 1)
    columns = []
    for share, exponent in _FIXED:
        # The mean of the density exponent · p^(exponent - 1) within each step.
        high = (1 - share) + share * STEPS * np.diff(ends**exponent)
        columns += [high, high[::-1]]
    return np.stack(columns, axis=1)


FIXED: Final = fixed_bets()
LEARNED: Final = len(_MEMORIES)
BETS: Final = FIXED.shape[1] + LEARNED


class LearnedBets:
    """Histograms of past ranks, which forget.

    Attributes:
        counts: float64 [s, LEARNED, BINS].
        waiting: int64 [s, BINS], ranks since the last update.
    """

    def __init__(self, counts: NDArray[np.float64], waiting: NDArray[np.int64]) -> None:
        """Takes the counts, which change from then on."""
        self.counts, self.waiting = counts, waiting

    @classmethod
    def none(cls, signals: int) -> "LearnedBets":
        """Begins with no rank seen."""
        return cls(np.zeros((signals, LEARNED, BINS)), np.zeros((signals, BINS), np.int64))

    def densities(self) -> NDArray[np.float64]:
        """What a stake of 1 becomes in each bin, float64 [s, LEARNED, BINS]."""
        seen = self.counts + _CAUTION
        return seen * (BINS / seen.sum(axis=2, keepdims=True))

    def see(self, bins: NDArray[np.int64], known: NDArray[np.bool_]) -> None:
        """Takes note of ranks, without going by them yet.

        Args:
            bins: int [m, s].
            known: bool [m, s].
        """
        places = (np.arange(bins.shape[1]) * BINS + bins)[known]
        self.waiting += np.bincount(places, minlength=self.waiting.size).reshape(-1, BINS)

    def learn(self) -> None:
        """Goes by the ranks that it took note of, too."""
        for number, memory in enumerate(_MEMORIES):
            self.counts[:, number] *= (1 - 1 / memory) ** LEARNING
        self.counts += self.waiting[:, None]
        self.waiting[:] = 0


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
    steps = _steps_of(ranks)
    bins = steps // (STEPS // BINS)
    signals = np.arange(ranks.shape[1])
    won = np.empty((*ranks.shape, BETS))
    won[:, :, :-LEARNED] = FIXED[steps]
    won[:, :, -LEARNED:] = learned.densities().transpose(0, 2, 1)[signals, bins]
    won[~known] = 1.0
    return won


def bins_of(ranks: NDArray[np.float64]) -> NDArray[np.int64]:
    """The bins that ranks lie in, 0..BINS - 1."""
    return _steps_of(ranks) // (STEPS // BINS)


def _steps_of(ranks: NDArray[np.float64]) -> NDArray[np.int64]:
    """Ranks as whole numbers, 0..STEPS - 1."""
    return np.minimum((ranks * STEPS).astype(np.int64), STEPS - 1)
