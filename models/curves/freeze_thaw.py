"""Which curve to buy more of: the most expected improvement for its cost.

Freeze-thaw search (Swersky, Snoek and Adams, 2014, arXiv 1406.3896) with what earlier tasks teach
(as in Quick-Tune: Arango et al., ICLR 2024). Of each configuration, new or paused, the outlook says
what it may come to at each of the next rungs. Its index is the greatest, over the rungs, of the
expected improvement there over the best score so far, divided by a power of the seconds to it. The
configuration with the highest index gets the next rung's epochs; then all is looked at again.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np
from scipy.special import ndtr

from models.curves.agreement import Agreement
from models.curves.cold import CheapestFirst
from models.curves.learning_curve import CurveTask, Floats, LearningCurve
from models.curves.purchase import Purchase
from models.curves.rungs import next_rung
from models.curves.surrogate import HORIZONS, Outlook, Surrogate
from models.history.search_space import Value

COST_POWER: Final = 0.7
"""1 would buy what is cheap until nothing is left of it, 0 would not look at the cost."""
COLD_SHARE: Final = 0.05
"""Of the seconds, kept for the search that knows no past."""
ORIGIN_SHARE: Final = 1 / 3
"""Of the budget, at most, for the curves that others start from, before anything else."""
OPENING_SHARE: Final = 1 / 2
"""Of the budget, until which the opening goes on before anything else is begun."""
_TENFOLD: Final = 0.1
"""Score that a curve must start higher by to be begun, by the search that knows no past, before one
of a tenth of its cost."""


class FreezeThaw:
    """Buys stretches of the candidates' curves, from what was seen of them so far.

    **The guard.** A share of the seconds is the cold search's, which buys what it would buy alone,
    as soon as its share pays for it. Where what the past predicts does not agree with what is seen,
    all seconds are the cold search's, and likewise without a past. So after t seconds the cold
    search has got what it buys alone in `COLD_SHARE` · t seconds, less one purchase; with an
    opening, as soon as that has had its share, and behind the origins, which are there for both.

    **Origins.** Curves that others start from, as fine-tunings do from the frozen backbone, tell
    most of what these come to. They are bought before the others, for either search, as far as
    their share of the budget goes; without a budget they are like all others.

    **The opening.** The first candidate may be what did best on average. It is then begun before
    all others, and goes on behind the origins until half of the budget is spent or it has ended: a
    search that sees a few epochs of many curves may end below this one.

    Attributes:
        start_seconds: that a purchase takes before its first epoch, the same for all candidates or
            float64 [n]; may be changed when more is known of it.
        budget: seconds for all purchases, infinite without a limit; may be changed.
    """

    def __init__(
        self,
        task: CurveTask,
        candidates: Sequence[Mapping[str, Value]],
        surrogate: Surrogate | None,
        *,
        most: int,
        seconds: Floats | None = None,
        start_seconds: float | Floats = 0.0,
        is_relative: bool = False,
        budget: float = math.inf,
        opening: bool = False,
        starts_from: Sequence[int | None] = (),
    ) -> None:
        """Predicts a first time.

        Args:
            task: that is searched on; its curves are not looked at.
            candidates: configurations to choose from.
            surrogate: that has learned from earlier tasks; None without any.
            most: epochs of a full training.
            seconds: that an epoch of each candidate is expected to take, float64 [n]; None to learn
                it from the past.
            start_seconds: see the attribute.
            is_relative: whether the seconds, told or learned, are right up to a factor alone, as
                those of another machine are; it is then taken from the candidates seen.
            budget: seconds for all purchases; infinite without a limit.
            opening: whether the first candidate is begun before all others, whatever it costs.
            starts_from: of each candidate, the number of the one whose first score its curve starts
                from; None where it starts from nothing. Empty where none starts from another.

        Raises:
            ValueError: neither a past nor seconds are given.
        """
        if surrogate is None and seconds is None:
            raise ValueError("without a past, the seconds of an epoch of each candidate are needed")
        self.start_seconds: float | Floats = start_seconds
        self.budget = budget
        self._opening = opening
        self._starts_from = tuple(starts_from) or (None,) * len(candidates)
        self._origins = sorted({each for each in self._starts_from if each is not None})
        self._spent_on_origins = 0.0
        self._most = most
        self._surrogate = surrogate
        self._spent = {"cold": 0.0, "warm": 0.0}
        if surrogate is not None:
            self._points = surrogate.points(task, candidates)
            if seconds is None:
                seconds = surrogate.seconds(task, self._points)
            self._outlook = surrogate.outlook(self._points)
            self._agreement = Agreement()
        self._expected = np.array(seconds, np.float64)
        self._seconds = self._expected.copy()
        self._is_relative = is_relative
        self._ahead = np.tile(_stretches(0, most), (len(candidates), 1))
        costs = _TENFOLD * np.log10(self._seconds + self.start_seconds)
        self._cold = CheapestFirst(costs, most, self._starts_from)
        self._curves = [LearningCurve(values) for values in candidates]

    @property
    def curves(self) -> Sequence[LearningCurve]:
        """Of each candidate, as seen so far."""
        return self._curves

    @property
    def trusts_past(self) -> bool:
        """Whether there is a past, and what it predicts agrees with what was seen."""
        return self._surrogate is not None and self._agreement.holds

    @property
    def has_judged_past(self) -> bool:
        """Whether there is a past, and enough was seen to tell whether it misleads."""
        return self._surrogate is not None and self._agreement.is_known

    def withdraw(self, candidates: Iterable[int]) -> None:
        """Has nothing more bought of some candidates."""
        for each in candidates:
            self._curves[each] = replace(self._curves[each], ended=True)

    def choose(
        self, busy: frozenset[int] = frozenset(), remaining: float = math.inf
    ) -> Purchase | None:
        """The next stretch to buy.

        Args:
            busy: candidates that are being trained.
            remaining: seconds that are left; what is expected to take more is not bought.

        Returns:
            None where nothing can be bought now.
        """
        opening = self._opening_stretch(busy, remaining)
        if opening is not None and not opening.start:
            return opening
        purchase = self._origin(busy) or opening or self._choose(busy, remaining)
        if purchase is None or self._price(purchase) > remaining:
            return None
        return purchase

    def promises(self) -> Floats:
        """What each candidate's curve is expected to end at; 0 for what has not begun.

        By the outlook where the past is trusted, else by the best score so far.
        """
        best = np.array([curve.best() for curve in self._curves])
        if not self.trusts_past:
            return best
        begun = np.array([bool(curve.scores) and not curve.ended for curve in self._curves])
        return np.where(begun, np.maximum(best, self._outlook.mean[:, -1]), best)

    def ends(self) -> Floats:
        """What the curve of each candidate is expected to end at, begun or not.

        Without a past, or where it has misled, the best score so far, and 0 before the first.
        """
        best = np.array([curve.best() for curve in self._curves])
        return np.maximum(best, self._outlook.mean[:, -1]) if self.trusts_past else best

    def expected_gain(self, seconds: float) -> float | None:
        """By how much the best score is expected to grow in so many seconds; None without a past.

        The most that any one candidate promises for them.
        """
        if not self.trusts_past:
            return None
        gain = expected_improvement(self._outlook, max(curve.best() for curve in self._curves))
        gain = np.where(self._prices() <= seconds, gain, 0.0).max(axis=1)
        gain[[number for number, curve in enumerate(self._curves) if curve.ended]] = 0.0
        return float(gain.max())

    def _prices(self) -> Floats:
        """Seconds from now to each of the next rungs, float64 [n, h]."""
        starts = np.broadcast_to(self.start_seconds, len(self._curves))
        return np.asarray(starts[:, None] + self._seconds[:, None] * self._ahead)

    def _choose(self, busy: frozenset[int], remaining: float) -> Purchase | None:
        cold = self._cold.choose(self._curves, busy | self._beyond(remaining))
        if not self.trusts_past:
            return cold
        kept = COLD_SHARE * sum(self._spent.values()) - self._spent["cold"]
        if cold is not None and self._price(cold) <= min(kept, remaining):
            return cold
        return self._warm(busy, remaining)

    def observe(self, purchase: Purchase, curve: LearningCurve) -> None:
        """Takes what came of a purchase.

        Args:
            purchase: that was chosen.
            curve: of its candidate from the first epoch on.
        """
        candidate, before = purchase.candidate, self._curves[purchase.candidate]
        if candidate in self._origins and not before.epochs:
            self._spent_on_origins += self._price(purchase)
        self._curves[candidate] = curve
        self._spent[purchase.origin] += sum(curve.seconds[before.epochs :])
        self._ahead[candidate] = _stretches(curve.epochs, self._most)
        if curve.seconds:
            self._seconds[candidate] = np.mean(curve.seconds)
            if self._is_relative:
                self._rescale()
        if self._surrogate is None:
            return
        is_first = before.epochs == 0 and bool(curve.scores)
        if is_first:
            self._agreement.add(self._outlook.mean[candidate, 0], curve.scores[0])
        self._look(self._surrogate, [candidate], curve.scores)
        if is_first:
            self._look(self._surrogate, self._unbegun_from(candidate), start=curve.scores[0])

    def _unbegun_from(self, origin: int) -> list[int]:
        """Candidates that start from one, and have not begun."""
        return [
            number
            for number, each in enumerate(self._starts_from)
            if each == origin and not self._curves[number].epochs
        ]

    def _look(
        self,
        surrogate: Surrogate,
        candidates: Sequence[int],
        scores: Sequence[float] = (),
        start: float | None = None,
    ) -> None:
        """Predicts some candidates anew; see `Surrogate.outlook`."""
        if not candidates:
            return
        seen = surrogate.outlook(self._points[candidates], scores, start)
        self._outlook.mean[candidates] = seen.mean
        self._outlook.deviation[candidates] = seen.deviation

    def _origin(self, busy: frozenset[int]) -> Purchase | None:
        """The cheapest curve that others start from, if its share of the budget pays for it."""
        curves = self._curves
        left = [each for each in self._origins if not (curves[each].epochs or curves[each].ended)]
        idle = [each for each in left if each not in busy]
        if not idle or math.isinf(self.budget):
            return None
        prices = self._prices()[:, 0]
        cheapest = min(idle, key=lambda each: float(prices[each]))
        begun = sum(float(prices[each]) for each in left if each in busy)
        if self._spent_on_origins + begun + prices[cheapest] > ORIGIN_SHARE * self.budget:
            return None
        return Purchase(cheapest, 0, next_rung(0, self._most), "cold")

    def _opening_stretch(self, busy: frozenset[int], remaining: float) -> Purchase | None:
        """The next of the first candidate, as far as its share of the budget goes."""
        curve = self._curves[0]
        if not self._opening or 0 in busy or curve.ended:
            return None
        stretch = Purchase(0, curve.epochs, next_rung(curve.epochs, self._most), "warm")
        spent = self.budget - remaining + self._price(stretch)
        is_early = math.isfinite(self.budget) and spent <= OPENING_SHARE * self.budget
        return stretch if is_early or not curve.epochs else None

    def _beyond(self, remaining: float) -> frozenset[int]:
        """Candidates whose next rung costs more than is left."""
        return frozenset(np.flatnonzero(self._prices()[:, 0] > remaining).tolist())

    def _warm(self, busy: frozenset[int], remaining: float) -> Purchase | None:
        prices = self._prices()
        gain = expected_improvement(self._outlook, max(curve.best() for curve in self._curves))
        index = np.where(prices <= remaining, gain / prices**COST_POWER, -1).max(axis=1)
        ended = [number for number, curve in enumerate(self._curves) if curve.ended]
        index[[*ended, *busy]] = -1
        candidate = int(index.argmax())
        if index[candidate] < 0:
            return None
        start = self._curves[candidate].epochs
        return Purchase(candidate, start, next_rung(start, self._most), "warm")

    def _rescale(self) -> None:
        begun = np.array([bool(curve.scores) for curve in self._curves])
        origins = np.isin(np.arange(len(begun)), self._origins)
        # They are another kind of work: a frozen backbone's epoch is a linear head.
        for kind in (origins, ~origins):
            known, unknown = begun & kind, ~begun & kind
            if known.any():
                factor = np.median(self._seconds[known] / self._expected[known])
                self._seconds[unknown] = factor * self._expected[unknown]

    def _price(self, purchase: Purchase) -> float:
        epochs = purchase.stop - purchase.start
        starts = np.broadcast_to(self.start_seconds, len(self._curves))
        return float(starts[purchase.candidate] + self._seconds[purchase.candidate] * epochs)


def expected_improvement(outlook: Outlook, best: float) -> Floats:
    """Mean of what a score is expected to be above the best one, float64 [n, h]."""
    gap = outlook.mean - best
    z = gap / outlook.deviation
    density = np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)
    return gap * ndtr(z) + outlook.deviation * density


def _stretches(epochs: int, most: int) -> Floats:
    """Epochs from here to each of the next rungs, float64 [h]; at least 1, to divide by."""
    stops, stop = [], epochs
    for _ in range(HORIZONS):
        stop = next_rung(stop, most) if stop < most else most
        stops.append(max(stop - epochs, 1))
    return np.array(stops, np.float64)
