"""The choice among the best trials of a search, made on more than one validation score.

A search's best score is the best of many noisy ones: on the validation split of a few hundred
images the noise is as large as the gaps between good configurations, and the highest score belongs
to the luckiest of them. So the best few are evaluated again on other folds of the data with other
seeds, and chosen by the mean. The evaluations are spent by sequential halving (Karnin, Koren and
Somekh, Almost Optimal Exploration in Multi-Armed Bandits, ICML 2013): all finalists meet the first
fold, the better half the next, so that breadth costs little and most looks fall on those that are
hard to tell apart.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from models import progress
from models.head.head_trainer import DivergedError
from models.history.records import Evaluation, TrialRecord
from models.history.search_space import Values
from models.search.standings import standings

Evaluate = Callable[[Values, int], Evaluation]
"""Trains a configuration on a fold, from 0; raises `DivergedError` when nothing came of it."""

Prepare = Callable[[Sequence[Values], int], object]
"""Told the configurations that will be evaluated on a fold, in any order, before they are."""

MOST_COST = 0.6
"""Most epochs that the finalists may take, as a share of the search's own. Epochs are counted and
not seconds, so that the choice is the same on every machine and after a kill."""


@dataclass(frozen=True)
class Contest:
    """What came of it.

    Attributes:
        chosen: order of the trial that won.
        trials: all trials; the finalists' with their new evaluations, mean and standard error.
    """

    chosen: int
    trials: tuple[TrialRecord, ...]


def choose(
    trials: Sequence[TrialRecord],
    evaluate: Evaluate,
    *,
    finalists: int,
    repeats: int,
    ranking: Sequence[int] | None = None,
    prepare: Prepare = lambda _configurations, _fold: None,
) -> Contest:
    """Evaluates the finalists on further folds and chooses one.

    With one finalist, no repeats or too small a budget, the first of the ranking is chosen.

    Args:
        trials: of a search whose score is to be maximised, at least one completed.
        evaluate: one configuration on one fold.
        finalists: trials that enter, at most.
        repeats: folds, at most; half of the finalists fall out after each, down to two.
        ranking: orders of completed trials, the most promising first, such as of a model's mean;
            None for the order of the scores.
        prepare: told of each round before it begins.

    Raises:
        ValueError: there is no completed trial.
    """
    completed = {trial.order: trial for trial in trials if trial.status == "completed"}
    if not completed:
        raise ValueError("a search without a completed trial has no finalists")
    order = list(completed if ranking is None else ranking)
    if ranking is None:
        order.sort(key=lambda each: -(completed[each].score or 0.0))
    budget = MOST_COST * sum(_epochs(trial) for trial in completed.values())
    rounds = _Rounds([completed[each] for each in order[:finalists]], evaluate, budget, len(trials))
    rounds.run(repeats, prepare)
    return Contest(rounds.leader, tuple(rounds.updated(trial) for trial in trials))


class _Rounds:
    """The finalists, the evaluations made so far and the epochs that are left."""

    def __init__(
        self, finalists: Sequence[TrialRecord], evaluate: Evaluate, budget: float, trials: int
    ) -> None:
        self._finalists = {trial.order: trial for trial in finalists}
        self._alive = list(self._finalists)
        self._evaluations = {trial.order: list(trial.evaluations[:1]) for trial in finalists}
        self._evaluate = evaluate
        self._budget = budget
        self._trials = trials
        self._done = 0

    @property
    def leader(self) -> int:
        return self._alive[0]

    def run(self, repeats: int, prepare: Prepare) -> None:
        for fold in range(repeats):
            self._drop_unaffordable()
            if len(self._alive) < 2:
                return
            prepare([self._finalists[order].values for order in self._alive], fold)
            for order in tuple(self._alive):
                self._meet(order, fold)
            if not self._alive:
                # Every one diverged: the search's own ranking is all that there is.
                self._alive = list(self._finalists)[:1]
                return
            standing = standings(self._evaluations)
            self._alive.sort(key=lambda order: -standing[order].mean)
            if fold < repeats - 1:
                del self._alive[max(2, math.ceil(len(self._alive) / 2)) :]

    def updated(self, trial: TrialRecord) -> TrialRecord:
        evaluations = self._evaluations.get(trial.order, [])
        if len(evaluations) < 2:
            return trial
        standing = standings(self._evaluations)[trial.order]
        return trial.model_copy(
            update={
                "score": standing.mean,
                "standard_error": standing.standard_error,
                "evaluations": tuple(evaluations),
                "seconds": trial.seconds + sum(each.seconds for each in evaluations[1:]),
            }
        )

    def _meet(self, order: int, fold: int) -> None:
        finalist = self._finalists[order]
        try:
            evaluation = self._evaluate(finalist.values, fold)
        except DivergedError:
            # A configuration that fails on every few folds is not one to train with.
            self._alive.remove(order)
            return
        self._evaluations[order].append(evaluation)
        self._budget -= len(evaluation.curve.train_loss)
        self._done += 1
        note = f"finalists evaluated again: {self._done}"
        progress.report(self._trials, self._trials, "trials", note)

    def _drop_unaffordable(self) -> None:
        """Drops the last ones until a round of the rest can be paid."""
        while sum(_epochs(self._finalists[order]) for order in self._alive) > self._budget:
            if len(self._alive) == 1:
                return
            self._alive.pop()


def _epochs(trial: TrialRecord) -> int:
    return len(trial.evaluations[0].curve.train_loss)
