"""The oracle that buys epochs of learning curves, by what earlier searches' curves teach."""

import math
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus

from models.curves.freeze_thaw import FreezeThaw
from models.curves.learning_curve import CurveTask, Floats, LearningCurve
from models.curves.purchase import Origin, Purchase
from models.curves.surrogate import Surrogate
from models.history.search_space import Values
from models.oracles.leases import LeasingOracle, synchronized

EPOCHS: Final = "tuner/epochs"
INITIAL_EPOCH: Final = "tuner/initial_epoch"
CONTINUES: Final = "tuner/trial_id"
SECONDS: Final = "tuner/seconds"
"""Metric of a trial: seconds of an epoch, reported at the step of as many epochs as are made."""
ELAPSED: Final = "tuner/elapsed"
"""Metric of a trial: seconds that all of it took; where it is not reported, a clock says."""

ENDED: Final = "tuner/ended"
"""Metric of a trial: above 0 where no epoch of its configuration can follow."""

_LEAST_SECONDS: Final = 1e-6


class FreezeThawOracle(LeasingOracle):
    """Freeze-thaw search within a budget of seconds; see `models.curves.freeze_thaw`.

    Each trial is a stretch of one configuration's epochs, told as Hyperband tells it: to
    `tuner/epochs` from `tuner/initial_epoch`, which is where the trial `tuner/trial_id` ended. A
    configuration that is not continued was not worth it. `ContinuingTuner` beside this file makes
    such trials; so does any tuner that heeds these values. One that reports no scores of single
    epochs is taken to have had its trial's score in each of them, and equal times.

    A budget bought with several workers is the sum of their seconds. Trials are not begun that are
    expected to overrun it, but for the first.

    Attributes:
        budget: seconds for all trials together; infinite without a limit.
        extension: asked once, when nothing more fits the budget, for seconds to add to it; None
            where there are none.
    """

    def __init__(
        self,
        objective: Any = None,
        budget: float | None = None,
        past: Sequence[CurveTask] = (),
        *,
        task: CurveTask | None = None,
        max_epochs: int = 50,
        max_trials: int | None = None,
        first: Sequence[Values] = (),
        candidates: int = 200,
        pool: Sequence[Values] = (),
        comparable: Callable[[Values], Values] = dict,
        seconds: Callable[[Values], float] | None = None,
        start_seconds: Callable[[Values], float] | None = None,
        starts_from: Callable[[Values], Values | None] | None = None,
        seed: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Takes the past; learns from it when the first trial is asked for.

        Args:
            objective: name or `keras_tuner.Objective`. One to maximise is a share, such as an
                accuracy; one to minimise is a mean loss l in nats, of which exp(-l) is taken. What
                lies outside of 0 to 1 then counts as the nearer end.
            budget: seconds for all trials together; None for no limit.
            past: earlier tasks with their curves, such as of `as_task`.
            task: what is searched on; needed where there is a past.
            max_epochs: of a full training.
            max_trials: stretches in all; None for no limit.
            first: configurations that are candidates beside the space's default one.
            candidates: configurations to choose from in all; the others are drawn at random.
            pool: all configurations to choose from, in the place of drawn ones; the first is begun
                before all others.
            comparable: makes of a configuration what the past is told by.
            seconds: that an epoch of a configuration is expected to take, up to a factor that is
                the same for all; None to learn it from the past, or without one to take all for
                alike.
            start_seconds: that a configuration is expected to take before its next epoch, asked
                before each proposal; None to learn from the trials what each takes.
            starts_from: the configuration whose first score a configuration's curve starts from, if
                any; it is heeded where that one is a candidate, too.
            seed: of the candidates; 0 and None draw one.
            **kwargs: as for every `LeasingOracle`.

        Raises:
            ValueError: a budget, number of epochs or of candidates is not above 0; there is a past
                and no task; there is neither a budget nor a number of trials.
        """
        if budget is None and max_trials is None:
            raise ValueError("a search needs a budget in seconds or max_trials, but got neither")
        for name, value in (
            ("budget", budget),
            ("max_epochs", max_epochs),
            ("candidates", candidates),
        ):
            if value is not None and not value > 0:
                raise ValueError(f"{name} takes a number above 0, but got {value}")
        if past and task is None:
            raise ValueError("to learn from a past, say by `task` what is searched on")
        super().__init__(objective=objective, max_trials=max_trials, seed=seed, **kwargs)
        self.budget = math.inf if budget is None else budget
        self.extension: Callable[[], float] | None = None
        self.max_epochs = max_epochs
        self._past = tuple(past)
        self._task = task or CurveTask("this search", 1.0)
        self._first = tuple(first)
        self._count = candidates
        self._expected = seconds
        self._starts = start_seconds
        self._starts_from = starts_from
        self._comparable = comparable
        self._has_pool = bool(pool)
        self._candidates = [dict(each) for each in pool]
        self._purchases: dict[str, tuple[int, Origin]] = {}
        self._elapsed: dict[str, float] = {}
        self._begun: dict[str, float] = {}
        self._overheads: list[float] = []
        self._search: FreezeThaw | None = None
        self._withdrawn: set[int] = set()

    @property
    def spent(self) -> float:
        """Seconds that ended trials took, from proposal to answer."""
        return sum(self._elapsed.values())

    @property
    def trusts_past(self) -> bool:
        """Whether there is a past that has not misled so far."""
        return self._prepare().trusts_past

    @property
    def has_judged_past(self) -> bool:
        """Whether there is a past, and enough was seen to tell whether it misleads."""
        return self._prepare().has_judged_past

    @synchronized
    def withdraw(self, is_out: Callable[[Values], bool]) -> None:
        """Proposes some configurations no more, as a trial has shown that they cannot be trained.

        That trial does not count among `max_trials`.

        Args:
            is_out: says which they are.
        """
        search = self._prepare()
        out = {number for number, each in enumerate(self._candidates) if is_out(each)}
        self._withdrawn |= out
        search.withdraw(out)
        if self.max_trials:
            self.max_trials += 1

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes a stretch; Keras Tuner calls it.

        Returns:
            `status` "STOPPED" when the budget is spent or nothing is left to train, "IDLE" when
            what is left has to wait for other workers.
        """
        search = self._prepare()
        if self._starts is not None:
            search.start_seconds = self._start_seconds()
        busy = frozenset(self._purchases[each.trial_id][0] for each in self.ongoing_trials.values())
        purchase = search.choose(busy, self.budget - self.spent)
        if purchase is None and not self._purchases:
            # A search that has tried nothing has no best trial.
            purchase = search.choose()
        if purchase is None and not busy and self.extension is not None:
            before, extension, self.extension = self.budget, self.extension, None
            self.budget = search.budget = before + extension()
            purchase = search.choose(busy, self.budget - self.spent)
            if purchase is None:
                self.budget = search.budget = before
        if purchase is None:
            return {"status": "IDLE" if busy else "STOPPED"}
        values = {
            **self._candidates[purchase.candidate],
            EPOCHS: purchase.stop,
            INITIAL_EPOCH: purchase.start,
        }
        if purchase.start:
            values[CONTINUES] = self._last_of(purchase.candidate)
        self._purchases[trial_id] = purchase.candidate, purchase.origin
        self._begun[trial_id] = time.monotonic()
        return {"status": "RUNNING", "values": values}

    @synchronized
    def end_trial(self, trial: Trial) -> None:
        """Takes what came of a stretch, unless it has ended already."""
        number = trial.trial_id
        if number not in self.end_order:
            begun = self._begun.get(number, time.monotonic())
            told = self.trials[number].metrics
            elapsed = (
                told.get_last_value(ELAPSED) if told.exists(ELAPSED) else time.monotonic() - begun
            )
            self._elapsed[number] = max(float(elapsed), _LEAST_SECONDS)
        is_new = number not in self.end_order
        super().end_trial(trial)
        if is_new and number in self.end_order and self._search is not None:
            self._observe(self._search, number)

    def expected_gain(self, seconds: float) -> float | None:
        """Growth of the best score to expect in so many seconds; None without a past."""
        return self._prepare().expected_gain(seconds)

    def ends(self) -> list[tuple[Values, float]]:
        """Each configuration, begun or not, with the score that it is expected to end at.

        See `models.curves.freeze_thaw.FreezeThaw.ends`.
        """
        return list(zip(self._candidates, self._prepare().ends().tolist(), strict=True))

    def promises(self) -> list[tuple[Values, float]]:
        """Each configuration that was begun, with the score that its curve is to end at."""
        search = self._prepare()
        return [
            (values, float(promise))
            for values, promise, curve in zip(
                self._candidates, search.promises(), search.curves, strict=True
            )
            if curve.scores
        ]

    def as_task(self, name: str) -> CurveTask:
        """The search's own curves, for a later search's past.

        Args:
            name: for people.
        """
        curves = tuple(curve for curve in self._prepare().curves if curve.scores)
        return CurveTask(name, self._task.size, self._task.description, curves)

    def get_state(self) -> dict[str, Any]:
        """What Keras Tuner keeps in its project."""
        return super().get_state() | {
            "candidates": self._candidates,
            "purchases": {number: list(each) for number, each in self._purchases.items()},
            "elapsed": self._elapsed,
        }

    def set_state(self, state: dict[str, Any]) -> None:
        """Goes on from there; the trials tell the curves."""
        super().set_state(state)
        self._candidates = state["candidates"]
        self._purchases = {
            number: (each[0], each[1]) for number, each in state["purchases"].items()
        }
        self._elapsed = state["elapsed"]
        self._search = None

    def _prepare(self) -> FreezeThaw:
        if self._search is not None:
            return self._search
        if not self._candidates:
            self._candidates = self._draw()
        expected = None
        if self._expected is not None:
            expected = np.array([self._expected(values) for values in self._candidates])
        elif not self._past:
            expected = np.ones(len(self._candidates))
        search = FreezeThaw(
            self._task,
            [self._comparable(each) for each in self._candidates],
            Surrogate(self._past, self.seed) if self._past else None,
            most=self.max_epochs,
            seconds=expected,
            is_relative=True,
            start_seconds=self._start_seconds(),
            budget=self.budget,
            opening=self._has_pool,
            starts_from=self._origins(),
        )
        self._overheads.clear()
        for number in self.end_order:
            self._observe(search, number)
        search.withdraw(self._withdrawn)
        self._search = search
        return search

    def _start_seconds(self) -> float | Floats:
        """As told, float64 [n], or none where it is yet to be learned."""
        if self._starts is None:
            return 0.0
        return np.array([self._starts(each) for each in self._candidates])

    def _origins(self) -> list[int | None]:
        """Of each candidate, the number of the one that it starts from."""
        if self._starts_from is None:
            return []
        origins = map(self._starts_from, self._candidates)
        return [
            self._candidates.index(each) if each in self._candidates else None for each in origins
        ]

    def _draw(self) -> list[Values]:
        """The space's default, those given, and random others; each once."""
        draw = random.Random(self.seed)
        space = self.get_space()
        drawn = [dict(space.values), *map(dict, self._first)]
        # A small discrete space may have fewer.
        for _ in range(10 * self._count):
            if len(drawn) >= self._count:
                break
            point = keras_tuner.HyperParameters()
            for parameter in space.space:
                point.merge([parameter])
                if point.is_active(parameter):
                    point.values[parameter.name] = parameter.random_sample(draw.random())
            if point.values not in drawn:
                drawn.append(dict(point.values))
        return drawn

    def _last_of(self, candidate: int) -> str:
        return next(
            number for number in reversed(self.end_order) if self._purchases[number][0] == candidate
        )

    def _observe(self, search: FreezeThaw, number: str) -> None:
        candidate, origin = self._purchases[number]
        values = self.trials[number].hyperparameters.values
        purchase = Purchase(candidate, values[INITIAL_EPOCH], values[EPOCHS], origin)
        before = search.curves[candidate]
        scores, seconds = self._stretch(self.trials[number], purchase)
        told = self.trials[number].metrics
        ended = len(scores) < purchase.stop - purchase.start or purchase.stop >= self.max_epochs
        ended |= told.exists(ENDED) and bool(told.get_last_value(ENDED))
        curve = LearningCurve(
            before.values, before.scores + scores, before.seconds + seconds, ended
        )
        search.observe(purchase, curve)
        if self._starts is not None:
            return
        self._overheads.append(max(self._elapsed[number] - sum(seconds), 0.0))
        search.start_seconds = statistics.median(self._overheads)

    def _stretch(
        self, trial: Trial, purchase: Purchase
    ) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """Scores and seconds of its epochs; fewer than were bought where it failed."""
        if trial.metrics.exists(SECONDS) or trial.metrics.exists(ELAPSED):
            told = trial.metrics.get_history(SECONDS) if trial.metrics.exists(SECONDS) else []
            measured = {each.step: each.mean() for each in told}
            reported = {
                each.step: each.mean() for each in trial.metrics.get_history(self.objective.name)
            }
            steps = [
                step for step in sorted(measured) if math.isfinite(reported.get(step, math.nan))
            ]
            return (
                tuple(self._share(reported[step]) for step in steps),
                tuple(max(float(measured[step]), _LEAST_SECONDS) for step in steps),
            )
        if trial.status != TrialStatus.COMPLETED or not math.isfinite(trial.score):
            return (), ()
        epochs = purchase.stop - purchase.start
        each = self._elapsed[trial.trial_id] / epochs
        return (self._share(trial.score),) * epochs, (each,) * epochs

    def _share(self, value: float) -> float:
        share = value if self.objective.direction == "max" else math.exp(-max(value, 0.0))
        return min(max(float(share), 0.0), 1.0)
