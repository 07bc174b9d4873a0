"""How the stakes are divided over signals and bets."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.bets import BETS, FIXED, HIGHER, LEARNED
from monitoring.evidence.directions import SLOTS, Kind
from monitoring.evidence.drift_settings import DriftSettings
from monitoring.evidence.signals import Signal

_LEARNED_SHARE: Final = 0.3
_DIRECTION_WEIGHT: Final = 1.0
"""Of one of the directions, as `Signal.weight`."""


@dataclass(frozen=True)
class Stakes:
    """Sums to 1 as a whole.

    Attributes:
        shares: of each bet, float64 [s + SLOTS, BETS]; the directions come last.
        settings: how sure an alarm has to be.
    """

    shares: NDArray[np.float64]
    settings: DriftSettings

    @classmethod
    def divided(cls, signals: tuple[Signal, ...], settings: DriftSettings) -> "Stakes":
        """Divides them by the signals' weights."""
        shares = np.zeros((len(signals) + SLOTS, BETS))
        for row, signal in zip(shares, signals, strict=False):
            learned = 1.0 if signal.classes else _LEARNED_SHARE
            _spread(row, FIXED, signal.weight * (1 - learned))
            _spread(row, LEARNED, signal.weight * learned)
        for row in shares[len(signals) :]:
            _spread(row, HIGHER, _DIRECTION_WEIGHT * (1 - _LEARNED_SHARE))
            _spread(row, LEARNED, _DIRECTION_WEIGHT * _LEARNED_SHARE)
        return cls(shares / shares.sum(), settings)

    def at_the_beginning(self) -> NDArray[np.float64]:
        """Of [s + SLOTS, BETS]; none on directions, which are not known yet."""
        start = self.shares / 2
        start[-SLOTS:] = 0.0
        return start

    def with_each_image(self) -> NDArray[np.float64]:
        """Likewise."""
        placed = self.shares / (2 * self.settings.period)
        placed[-SLOTS:] = 0.0
        return placed

    def on_a_direction(self, kind: Kind, slot: int, *, first: bool) -> NDArray[np.float64]:
        """Stakes [BETS] on one that was just learned, the first in its slot or a later one."""
        share = self.shares[slot - SLOTS]
        if first:
            return share / 2
        return share * (kind.slots * kind.interval / (2 * self.settings.period))


def _spread(row: NDArray[np.float64], bets: slice, share: float) -> None:
    row[bets] = share / (bets.stop - bets.start)
