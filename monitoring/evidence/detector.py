"""E-detectors: stakes that are placed anew with every image, so that a change may come at any time.

Before the first image, half of the stakes is placed on the bets; of the other half, one part in
`period` with each image. While nothing changes, what has been placed is on average what is there.
So the chance that the sum of all, over signals and bets, reaches 1 / alpha within `period` images
is at most alpha, and the average run length until it does is at least 2 · period / alpha - period
(the e-SR procedure of J. Shin, A. Ramdas, A. Rinaldo, "E-detectors", 2022; averaging is what makes
one of many e-values: V. Vovk, R. Wang, "E-values", 2021).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_CAP: Final = 1e3
"""Stakes do not grow beyond so many times what an alarm takes, so that the end of a shift shows."""
_LEAK: Final = 0.01
"""Part of the stakes that each image takes during an alarm, for the same reason."""


@dataclass
class Detector:
    """The stakes.

    Attributes:
        shares: of each bet in what is placed, sum 1, float64 [s, b].
        alpha: as in `DriftSettings`.
        period: likewise.
        stakes: float64 [s, b].
        alarm: the sum has reached 1 / alpha, and has not fallen below 1 since.
    """

    shares: NDArray[np.float64]
    alpha: float
    period: int
    stakes: NDArray[np.float64]
    alarm: bool

    @classmethod
    def fresh(cls, shares: NDArray[np.float64], alpha: float, period: int) -> "Detector":
        """Begins with half of the stakes."""
        return cls(shares, alpha, period, shares / 2, False)

    def run(self, outcomes: NDArray[np.float64]) -> int:
        """Goes on with some images, until an alarm begins or ends.

        Args:
            outcomes: what a stake of 1 becomes with each image, float64 [m, s, b].

        Returns:
            How many images it took; m, unless an alarm began or ended with the last of them.
        """
        if self.alarm:
            return self._run_until_quiet(outcomes)
        placed = self.shares / (2 * self.period)
        stakes = np.empty_like(outcomes)
        now = self.stakes
        for number, factors in enumerate(outcomes):
            now = np.add(now, placed, out=stakes[number])
            now *= factors
        loud = np.flatnonzero(stakes.sum(axis=(1, 2)) >= 1 / self.alpha)
        self.alarm = bool(len(loud))
        last = int(loud[0]) if self.alarm else len(stakes) - 1
        self.stakes = stakes[last].copy()
        return last + 1

    def _run_until_quiet(self, outcomes: NDArray[np.float64]) -> int:
        kept = (1 - _LEAK) * outcomes
        for number, factors in enumerate(kept):
            self.stakes = np.minimum(
                (self.stakes + self.shares / self.period) * factors, _CAP / self.alpha
            )
            if self.stakes.sum() < 1:
                self.stakes, self.alarm = self.shares / 2, False
                return number + 1
        return len(outcomes)
