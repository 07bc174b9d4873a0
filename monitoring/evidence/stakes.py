"""How the stakes are divided over signals and bets."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.bets import BETS, FIXED, HIGHER, LEARNED, SHARES
from monitoring.evidence.class_shares import BETWEEN, STARTS
from monitoring.evidence.directions import SLOTS, Kind
from monitoring.evidence.drift_settings import DriftSettings
from monitoring.evidence.signals import CLASS_GIVEN, Signal

_LEARNED_SHARE: Final = 0.3
_DIRECTION_WEIGHT: Final = 1.0
"""Of one of the directions, as `Signal.weight`."""


@dataclass(frozen=True)
class Stakes:
    """Sums to 1 as a whole.

    Attributes:
        shares: of each bet, float64 [s + SLOTS, BETS]; the directions come last.
        class_given: row of the classes that images were given.
        settings: how sure an alarm has to be.
    """

    shares: NDArray[np.float64]
    class_given: int
    settings: DriftSettings

    @classmethod
    def divided(cls, signals: tuple[Signal, ...], settings: DriftSettings) -> "Stakes":
        """Divides them by the signals' weights."""
        shares = np.zeros((len(signals) + SLOTS, BETS))
        class_given = [signal.name for signal in signals].index(CLASS_GIVEN)
        for place, (row, signal) in enumerate(zip(shares, signals, strict=False)):
            if place == class_given:
                _spread(row, SHARES, signal.weight * (1 - _LEARNED_SHARE))
                _spread(row, LEARNED, signal.weight * _LEARNED_SHARE)
            elif signal.classes:
                _spread(row, LEARNED, signal.weight)
            else:
                _spread(row, FIXED, signal.weight * (1 - _LEARNED_SHARE))
                _spread(row, LEARNED, signal.weight * _LEARNED_SHARE)
        for row in shares[len(signals) :]:
            _spread(row, HIGHER, _DIRECTION_WEIGHT * (1 - _LEARNED_SHARE))
            _spread(row, LEARNED, _DIRECTION_WEIGHT * _LEARNED_SHARE)
        return cls(shares / shares.sum(), class_given, settings)

    def at_the_beginning(self) -> NDArray[np.float64]:
        """Of [s + SLOTS, BETS]; none on directions and shares, which are learned from then on."""
        return self._without_learned_ones(self.shares / 2)

    def with_each_image(self) -> NDArray[np.float64]:
        """Likewise."""
        return self._without_learned_ones(self.shares / (2 * self.settings.period))

    def _without_learned_ones(self, stakes: NDArray[np.float64]) -> NDArray[np.float64]:
        stakes[-SLOTS:] = 0.0
        stakes[self.class_given, SHARES] = 0.0
        return stakes

    def on_a_direction(self, kind: Kind, slot: int, *, first: bool) -> NDArray[np.float64]:
        """Stakes [BETS] on one that was just learned, the first in its slot or a later one."""
        share = self.shares[slot - SLOTS]
        if first:
            return share / 2
        return share * (kind.slots * kind.interval / (2 * self.settings.period))

    def on_shares(self, place: int, *, first: bool) -> float:
        """Stake on one of the starts of `class_shares`, the first in its place or a later one."""
        share = float(self.shares[self.class_given, SHARES][place])
        return share / 2 if first else share * (STARTS * BETWEEN / (2 * self.settings.period))


def _spread(row: NDArray[np.float64], bets: slice, share: float) -> None:
    row[bets] = share / (bets.stop - bets.start)
