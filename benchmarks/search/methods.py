"""Ways to spend a budget on a table of curves."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.search.pasts import Past, change
from benchmarks.search.replay import Replay, first_seconds
from models.curves.cold import CheapestFirst
from models.curves.freeze_thaw import FreezeThaw
from models.curves.learning_curve import CurveTask, Floats
from models.curves.surrogate import Surrogate
from models.errors import UsageError
from models.history.search_space import Value
from models.search.joint_space import BACKBONE, RELATIVE_SIZE, UNFREEZE

_HYPERBAND_FACTOR = 3


@dataclass(frozen=True)
class Situation:
    """A data set to search on, and what came before.

    Attributes:
        table: the data set.
        past: the others.
        seed: of the search.
    """

    table: CurveTask
    past: tuple[CurveTask, ...]
    seed: int

    @cached_property
    def surrogate(self) -> Surrogate:
        """Learned from the past as it is.

        Raises:
            UsageError: there is no past.
        """
        if not self.past:
            raise UsageError(
                f"there is no other data set than {self.table.name} to learn from: name more with "
                "--curves, or with --past, or leave out the rankings from the past "
                "(--methods cheapest freeze-thaw)"
            )
        return Surrogate(self.past, self.seed)

    @property
    def most(self) -> int:
        """Epochs of a full training."""
        return max(curve.epochs for curve in self.table.curves)

    def shuffled(self) -> list[int]:
        """Candidates in random order."""
        random = np.random.default_rng([self.seed, len(self.table.curves)])
        return random.permutation(len(self.table.curves)).tolist()


Method = Callable[[Situation], Replay]


def random(situation: Situation) -> Replay:
    """Full trainings in random order."""
    replay, order = Replay(situation.table), situation.shuffled()
    while not replay.is_over:
        replay.buy(order.pop(), situation.most)
    return replay


def asha(situation: Situation) -> Replay:
    """Halving without waiting, in random order."""
    return _halving(situation, np.argsort(situation.shuffled()).astype(np.float64))


def cheapest(situation: Situation) -> Replay:
    """Halving without waiting, the cheapest first."""
    return _halving(situation, first_seconds(situation.table))


def hyperband(situation: Situation) -> Replay:
    """Hyperband's brackets (Li et al., JMLR 18, 2018), drawn without putting back."""
    replay, order, most = Replay(situation.table), situation.shuffled(), situation.most
    brackets = int(math.log(most, _HYPERBAND_FACTOR))
    while order and not replay.is_over:
        for bracket in range(brackets, -1, -1):
            count = math.ceil((brackets + 1) / (bracket + 1) * _HYPERBAND_FACTOR**bracket)
            here = [order.pop() for _ in range(min(count, len(order)))]
            for left in range(bracket, -1, -1):
                stop = math.ceil(most / _HYPERBAND_FACTOR**left)
                best = {each: replay.buy(each, stop).best() for each in here if not replay.is_over}
                here = sorted(best, key=lambda each: -best[each])[: len(here) // _HYPERBAND_FACTOR]
    finish(replay, most)
    return replay


def finish(replay: Replay, most: int) -> None:
    """Spends what is left on the best, one after the other."""
    while not replay.is_over:
        replay.buy(max(range(len(replay.table.curves)), key=lambda each: _left(replay, each)), most)


def _left(replay: Replay, candidate: int) -> float:
    curve = replay.curve(candidate)
    return -1.0 if curve.ended else curve.best()


def static(cost_weight: float) -> Method:
    """Halving without waiting, in an order that the past alone gives.

    Args:
        cost_weight: score that a tenfold cost is worth.
    """

    def method(situation: Situation) -> Replay:
        points = _points(situation)
        ends = situation.surrogate.outlook(points).mean[:, -1]
        seconds = np.log10(first_seconds(situation.table))
        return _halving(situation, cost_weight * seconds - ends)

    return method


def freeze_thaw(past: Past = "true", *, learned_costs: bool = False) -> Method:
    """Graft's search.

    Args:
        past: what is made of the past.
        learned_costs: whether the seconds of an epoch are learned from the past instead of told.
    """

    def method(situation: Situation) -> Replay:
        changed = change(past, situation.past, situation.seed)
        surrogate = None
        if changed:
            true = past == "true"
            surrogate = situation.surrogate if true else Surrogate(changed, situation.seed)
        search = FreezeThaw(
            situation.table,
            [curve.values for curve in situation.table.curves],
            surrogate,
            most=situation.most,
            seconds=None if learned_costs else first_seconds(situation.table),
            starts_from=_starts_from(situation.table),
        )
        replay = Replay(situation.table)
        while not replay.is_over and (purchase := search.choose()) is not None:
            search.observe(purchase, replay.buy(purchase.candidate, purchase.stop))
        return replay

    return method


def _halving(situation: Situation, order: Floats) -> Replay:
    search, replay = CheapestFirst(order, situation.most), Replay(situation.table)
    curves = [replay.curve(number) for number in range(len(order))]
    while not replay.is_over and (purchase := search.choose(curves)) is not None:
        curves[purchase.candidate] = replay.buy(purchase.candidate, purchase.stop)
    return replay


def _starts_from(table: CurveTask) -> list[int | None]:
    frozen = {
        _backbone(curve.values): number
        for number, curve in enumerate(table.curves)
        if curve.values.get(UNFREEZE) == 0
    }
    return [
        None if curve.start is None else frozen[_backbone(curve.values)] for curve in table.curves
    ]


def _backbone(values: Mapping[str, Value]) -> tuple[Value, Value]:
    return values[BACKBONE], values[RELATIVE_SIZE]


def _points(situation: Situation) -> Floats:
    values = [curve.values for curve in situation.table.curves]
    return situation.surrogate.points(situation.table, values)


METHODS: Mapping[str, Method] = {
    "random": random,
    "hyperband": hyperband,
    "asha": asha,
    "cheapest": cheapest,
    "static": static(0.0),
    "static-cost": static(0.3),
    "freeze-thaw": freeze_thaw(),
    "learned-costs": freeze_thaw(learned_costs=True),
    "inverted": freeze_thaw("inverted"),
    "permuted": freeze_thaw("permuted"),
    "no-past": freeze_thaw("none"),
}
