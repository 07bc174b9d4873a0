"""The search that knows no past: the cheapest configurations first, the better half goes on.

Successive halving without waiting (ASHA; Li, Jamieson et al., A System for Massively Parallel
Hyperparameter Tuning, MLSys 2020), with new configurations in the order of their cost. On published
fine-tuning curves this order is what halving gains most from. Where it is known what score a curve
starts from, a higher start makes up for a higher cost.
"""

from collections.abc import Sequence

import numpy as np

from models.curves.learning_curve import Floats, LearningCurve
from models.curves.purchase import Purchase
from models.curves.rungs import next_rung, rungs


class CheapestFirst:
    """Buys by halving, and keeps apart what it bought itself.

    It sees no more of a curve than it bought, so that its purchases are the same whatever else is
    bought beside it; but for the scores that others start from, which are there for all. What
    others bought already it gets for nothing.
    """

    def __init__(self, costs: Floats, most: int, starts_from: Sequence[int | None] = ()) -> None:
        """Takes the candidates in order of their cost.

        Args:
            costs: of the first epoch of each candidate, in any unit, float64 [n]. Where curves
                start from others, in that of a score: a curve that costs more by so much is begun
                first if it starts higher by more.
            most: epochs of a full training.
            starts_from: see `models.curves.freeze_thaw.FreezeThaw`.
        """
        self._starts_from = tuple(starts_from) or (None,) * len(costs)
        self._costs = costs
        self._order = [int(each) for each in np.argsort(costs, kind="stable")]
        self._most = most
        self._stops = rungs(most)
        self._bought = np.zeros(len(costs), np.int64)

    def choose(
        self, curves: Sequence[LearningCurve], busy: frozenset[int] = frozenset()
    ) -> Purchase | None:
        """The next stretch that nobody has bought.

        Args:
            curves: of each candidate, so far.
            busy: candidates that are being trained, of which nothing can be bought now.

        Returns:
            None where nothing is left to buy now.
        """
        while (candidate := self._next(curves, busy)) is not None:
            start = int(self._bought[candidate])
            stop = next_rung(start, self._most)
            if not curves[candidate].reached(stop):
                return Purchase(candidate, curves[candidate].epochs, stop, "cold")
            self._bought[candidate] = stop
        return None

    def _next(self, curves: Sequence[LearningCurve], busy: frozenset[int]) -> int | None:
        """The candidate of the highest rung whose better half is not through."""
        for stop in reversed(self._stops[:-1]):
            here = np.flatnonzero(self._bought >= stop).tolist()
            scores = [curves[candidate].best(stop) for candidate in here]
            for place in np.argsort(np.negative(scores), kind="stable")[: len(here) // 2]:
                if self._may_go_on(here[place], stop, curves, busy):
                    return int(here[place])
        first = self._fresh(curves, busy)
        return self._best_left(curves, busy) if first is None else first

    def _fresh(self, curves: Sequence[LearningCurve], busy: frozenset[int]) -> int | None:
        """The one to begin next; what is not known to start lower is held to start highest."""
        starts = {
            each: curves[each].scores[0]
            for each in self._starts_from
            if each is not None and curves[each].scores
        }
        highest = max(starts.values(), default=0.0)

        def worth(candidate: int) -> float:
            origin = self._starts_from[candidate]
            start = highest if origin is None else starts.get(origin, highest)
            return start - float(self._costs[candidate])

        fresh = (each for each in self._order if not self._bought[each] and each not in busy)
        return max(fresh, key=worth, default=None)

    def _best_left(self, curves: Sequence[LearningCurve], busy: frozenset[int]) -> int | None:
        """The best of the highest rung, where every candidate was begun."""
        for stop in reversed(self._stops[:-1]):
            left = [
                each
                for each in np.flatnonzero(self._bought == stop).tolist()
                if self._may_go_on(each, stop, curves, busy)
            ]
            if left:
                return max(left, key=lambda each: curves[each].best(stop))
        return None

    def _may_go_on(
        self, candidate: int, stop: int, curves: Sequence[LearningCurve], busy: frozenset[int]
    ) -> bool:
        curve = curves[candidate]
        is_over = curve.ended and curve.epochs <= stop
        return self._bought[candidate] == stop and candidate not in busy and not is_over
