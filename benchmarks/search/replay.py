"""A search replayed on a table of curves, which pays for epochs what they took."""

from collections.abc import Sequence

import numpy as np

from models.curves.learning_curve import CurveTask, Floats, LearningCurve

BUDGETS = (0.1, 0.25, 0.5, 1, 2, 4, 8)
"""In median full trainings of the data set."""


class Replay:
    """One search on one data set.

    Attributes:
        table: all curves to their ends.
    """

    def __init__(self, table: CurveTask) -> None:
        """Begins; nothing is spent."""
        self.table = table
        self._at = [0] * len(table.curves)
        self._spent: list[float] = []
        self._scores: list[float] = []
        self._limit = BUDGETS[-1] * median_training(table)

    @property
    def is_over(self) -> bool:
        """Whether the greatest budget is spent, or nothing is left to buy."""
        spent = bool(self._spent) and self._spent[-1] >= self._limit
        return spent or all(
            at >= curve.epochs for at, curve in zip(self._at, self.table.curves, strict=True)
        )

    def curve(self, candidate: int) -> LearningCurve:
        """What was bought of a candidate's curve."""
        whole, at = self.table.curves[candidate], self._at[candidate]
        return LearningCurve(
            whole.values, whole.scores[:at], whole.seconds[:at], at >= whole.epochs
        )

    def buy(self, candidate: int, stop: int) -> LearningCurve:
        """Goes on with a candidate to so many epochs, or to the end of its curve."""
        whole, at = self.table.curves[candidate], self._at[candidate]
        stop = max(min(stop, whole.epochs), at)
        before = self._spent[-1] if self._spent else 0.0
        self._spent.extend((before + np.cumsum(whole.seconds[at:stop])).tolist())
        self._scores.extend(whole.scores[at:stop])
        self._at[candidate] = stop
        return self.curve(candidate)

    def regret(self) -> list[float]:
        """Relative regret at each of the budgets; see `relative_regret`."""
        spent = np.array(self._spent)
        limits = np.array(BUDGETS) * median_training(self.table)
        best = np.maximum.accumulate(self._scores)
        done = np.searchsorted(spent, limits * (1 + 1e-12), side="right")
        return [
            relative_regret(self.table.curves, best[count - 1]) if count else 1.0 for count in done
        ]


def relative_regret(curves: Sequence[LearningCurve], found: float) -> float:
    """How far a score is from the best of all epochs of all curves.

    0 is the best; 1 is the best score of the worst curve, and the regret before the first epoch.
    """
    ends = [curve.best() for curve in curves]
    return float(np.clip((max(ends) - found) / max(max(ends) - min(ends), 1e-12), 0, 1))


def median_training(table: CurveTask) -> float:
    """Seconds of the median curve to its end, over all curves."""
    return float(np.median([sum(curve.seconds) for curve in table.curves]))


def first_seconds(table: CurveTask) -> Floats:
    """Seconds of each curve's first epoch: what the methods are told in advance, float64 [n]."""
    return np.array([curve.seconds[0] for curve in table.curves])
