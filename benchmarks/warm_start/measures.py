"""Regret on test images, and the figures made of it.

A search is judged by the head that it would hand over after n trials: the one trained in the trial
that the method chooses, chosen on validation images alone. Its regret is

    (best - measure) / (best - median)

where `median` is the median random configuration of the task's history. A difference below 0.01
counts as 0.01: a task that any configuration masters would otherwise count most, by its noise.

Two measures are offered. `score` is what the search maximises, accuracy less a tenth of the
relative log loss, on the test images (`models.head.selection_score`); it is the default, since
accuracy on some hundred test images moves in steps as large as the gaps between good
configurations, while the log loss uses every image. `accuracy` is the plain share of right answers.

`best` is the best known configuration of the task: of everything that any method evaluated, and of
the history, the candidates with the best measure are trained again with three seeds that no search
uses, and the best mean counts. The best of thousands of single trainings would be the luckiest
instead, a level that no method can reach again, and every regret would end in the same floor.
So a single search may go below 0. Nothing is clipped: that would favour the noisy.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.warm_start.evaluate import Evaluator, Outcome, evaluation_key
from benchmarks.warm_start.histories import HISTORY_SEED
from benchmarks.warm_start.problem import EPOCHS
from benchmarks.warm_start.runs import Run, Step

Measure = Literal["score", "accuracy"]
MEASURES: Final[tuple[Measure, ...]] = ("score", "accuracy")

CONFIRMING_SEEDS: Final = (2_000_000, 2_000_001, 2_000_002)
_CANDIDATES = 5
"""Configurations that are trained again, for each measure."""
_AREA_TRIALS = 25
_LEAST_DIFFERENCE = 0.01
"""Between the best and the median, in accuracy or score."""


@dataclass(frozen=True)
class Scale:
    """What regrets of one task are measured by.

    Attributes:
        best: measure of the best known configuration, mean of the confirming seeds.
        median: of the random configurations of the history.
        worst: of the same; what a search counts that has no trained head yet.
    """

    best: float
    median: float
    worst: float

    def regret(self, measure: float | None) -> float:
        """0 at the best known, 1 at the median random configuration."""
        value = self.worst if measure is None else measure
        return (self.best - value) / max(self.best - self.median, _LEAST_DIFFERENCE)


def confirm_best(evaluator: Evaluator, pooled: Iterable[Outcome]) -> None:
    """Trains the best candidates of a task again; finds those that were trained before.

    Args:
        evaluator: of the task.
        pooled: everything evaluated on the task.
    """
    whole = [each for each in pooled if each.limit == EPOCHS and each.seed not in CONFIRMING_SEEDS]
    candidates: dict[str, Outcome] = {}
    for measure in MEASURES:
        for group in _best_configurations(whole, measure):
            candidates[_configuration(group)] = group
    for candidate in candidates.values():
        for seed in CONFIRMING_SEEDS:
            evaluator.evaluate(candidate.values, seed)


def scale_of(pooled: Sequence[Outcome], measure: Measure) -> Scale:
    """The scale of a task whose best candidates have been confirmed.

    Args:
        pooled: everything evaluated on the task, its history included.
        measure: which.
    """
    history = [each for each in pooled if each.seed == HISTORY_SEED and each.limit == EPOCHS]
    confirmed = defaultdict(list)
    for outcome in pooled:
        if outcome.seed in CONFIRMING_SEEDS:
            confirmed[_configuration(outcome)].append(_value(outcome, measure))
    known = [value for each in history if (value := _value(each, measure)) is not None]
    worst = min(known)
    means = [
        float(np.mean([worst if value is None else value for value in values]))
        for values in confirmed.values()
        if len(values) == len(CONFIRMING_SEEDS)
    ]
    failed = [worst] * (len(history) - len(known))
    return Scale(best=max(means), median=float(np.median(known + failed)), worst=worst)


def regret_curve(run: Run, scale: Scale, measure: Measure, trials: int) -> NDArray[np.float64]:
    """Regret of the head that a search would hand over after 1, 2, … trials, float64 [trials].

    Trials count by their cost: a method that stops trainings early has more of them in one.
    """
    curve = []
    for last in _last_steps(run, trials):
        chosen = run.steps[run.steps[last].chosen] if last >= 0 else None
        curve.append(scale.regret(_step_value(chosen, measure)))
    return np.array(curve)


def least_curve(run: Run, scale: Scale, measure: Measure, trials: int) -> NDArray[np.float64]:
    """Least regret of all heads so far, float64 [trials]: as if the choice were made by the test.

    The difference to `regret_curve` is what choosing by few validation images costs. It flatters
    every method, the more the more its trials differ by luck alone.
    """
    regrets = [scale.regret(_step_value(step, measure)) for step in run.steps]
    none_yet = scale.regret(None)
    return np.array(
        [min(regrets[: last + 1], default=none_yet) for last in _last_steps(run, trials)]
    )


def area(curve: NDArray[np.float64]) -> float:
    """Area under the curve over the first 25 trials, as a mean."""
    return float(curve[:_AREA_TRIALS].mean())


def trials_to(curve: NDArray[np.float64], regret: float) -> int:
    """Trials until regret is that low for the first time.

    Returns:
        From 1; one more than there were trials if it never is.
    """
    reached = np.flatnonzero(curve <= regret)
    return int(reached[0]) + 1 if len(reached) else len(curve) + 1


def _last_steps(run: Run, trials: int) -> list[int]:
    """Index of the last step within 1, 2, … trials' cost; -1 if there is none."""
    spent = np.cumsum([step.cost for step in run.steps])
    limits = np.arange(1, trials + 1) + 1e-9
    return (np.searchsorted(spent, limits, side="right") - 1).tolist()


def _best_configurations(outcomes: Sequence[Outcome], measure: Measure) -> list[Outcome]:
    """One outcome of each of the configurations with the best mean over their seeds."""
    groups: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if _value(outcome, measure) is not None:
            groups[_configuration(outcome)].append(outcome)

    def mean(group: list[Outcome]) -> float:
        return float(np.mean([_value(each, measure) for each in group]))

    best = sorted(groups.values(), key=mean, reverse=True)[:_CANDIDATES]
    return [group[0] for group in best]


def _configuration(outcome: Outcome) -> str:
    return evaluation_key(outcome.values, 0, EPOCHS)


def _value(outcome: Outcome, measure: Measure) -> float | None:
    return outcome.test_score if measure == "score" else outcome.test_accuracy


def _step_value(step: Step | None, measure: Measure) -> float | None:
    if step is None:
        return None
    return step.test_score if measure == "score" else step.test_accuracy
