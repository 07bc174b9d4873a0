"""One search for the settings of fine-tuning: from a task to the history of all trials."""

import hashlib
import json
import shutil
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from keras_tuner.engine.trial import TrialStatus

from models import progress
from models.head.head_trainer import DivergedError
from models.head.selection_score import METRIC
from models.history.contribution import Contribution
from models.history.past_search import PastSearch
from models.history.records import Evaluation, SearchDescription, TaskDescription, TrialRecord
from models.history.search_space import SearchSpace, Values
from models.history.tuning_history import TuningHistory, new_history
from models.oracles.algorithms import OBJECTIVE
from models.oracles.warm.warm_start_oracle import WarmStartOracle
from models.search.fine_tuning.fine_tuning_space import configured, fine_tuning_space
from models.search.fine_tuning.fine_tuning_trial import FineTuningTrials, work_folder
from models.search.fine_tuning.halving import promoted, rungs, winner
from models.search.search_settings import SearchSettings
from models.search.standings import standings
from models.training.training_task import TrainingTask

DEFAULT: Final = 0
"""Order of the trial with the settings of the configuration."""

_TUNER: Final = "fine_tuning"


@dataclass(frozen=True)
class FineTuningResult:
    """What a search found.

    Attributes:
        history: every trial; the first has the configured settings. Scores are those of the first
            look, when all trials could be compared.
        chosen: values to take in place of the configured settings; empty where none of them was
            better by more than noise.
        contribution: what earlier searches gave to it.
    """

    history: TuningHistory
    chosen: Values
    contribution: Contribution


def search_fine_tuning(
    task: TrainingTask,
    description: TaskDescription,
    settings: SearchSettings,
    scratch: Path,
    *,
    past: Sequence[PastSearch] = (),
    code: str = "",
    name: str = "",
) -> FineTuningResult:
    """Searches for the settings with the best validation score, by successive halving.

    The configured settings are the first trial, take part in every round, and stay unless others
    are better by more than the noise of the validation split.

    Args:
        task: what to fine-tune; its settings are the configured ones.
        description: of the same task.
        settings: of the search; `fine_tune_trials` counts the configured settings too.
        scratch: folder that finished trials are kept in, so that a killed search goes on. It may
            be shared by any number of searches, one at a time.
        past: earlier searches of this kind to learn from, with the algorithm "warm".
        code: digest of the training code; trials of other code are not taken over.
        name: of the data, for people.
    """
    space = fine_tuning_space(task.settings, task.backbone.trunk)
    directory = scratch / _key(task, description, code)
    _forget_others(scratch, directory)
    trainings = FineTuningTrials(task, directory)
    oracle = _oracle(task, space, description, settings, past)
    # As BaseTuner does: the oracle writes files there, which are not read again.
    oracle._set_project_dir(str(directory), "keras_tuner")
    search = _Halving(trainings, rungs(task.settings.epochs, settings.fine_tune_trials))
    search.look_at_all(oracle)
    search.train_the_best_on()
    chosen = search.winner(description.validation_images)
    trainings.close()
    history = new_history(
        space,
        description,
        _describe(task),
        search.records(),
        chosen=chosen,
        name=name,
    )
    values = history.trials[chosen].values if chosen else {}
    seconds = statistics.fmean(trial.seconds for trial in history.trials)
    return FineTuningResult(history, dict(values), oracle.contribution(seconds))


@dataclass
class _Tried:
    """A trial: its values, what was seen at each rung, and why it failed."""

    values: Values
    evaluations: list[Evaluation] = field(default_factory=list)
    message: str = ""

    @property
    def score(self) -> float:
        return self.evaluations[-1].score

    def record(self, order: int, score: float | None, error: float | None) -> TrialRecord:
        return TrialRecord(
            order=order,
            status="completed" if self.evaluations else "failed",
            values=self.values,
            score=score,
            standard_error=error if len(self.evaluations) > 1 else None,
            evaluations=tuple(self.evaluations),
            seconds=sum(each.seconds for each in self.evaluations),
            message=self.message[:1000],
        )


class _Halving:
    """The trials of one search, and how far each has come."""

    def __init__(self, trainings: FineTuningTrials, steps: Sequence[int]) -> None:
        self._trainings = trainings
        self._first, *self._further = steps
        self._tried: list[_Tried] = []
        self._alive: list[int] = []

    def look_at_all(self, oracle: WarmStartOracle) -> None:
        """Trains what the oracle proposes up to the first rung."""
        while (trial := oracle.create_trial(_TUNER)).status == TrialStatus.RUNNING:
            tried = _Tried(dict(trial.hyperparameters.values))
            self._tried.append(tried)
            if self._reached(tried, self._first):
                self._alive.append(len(self._tried) - 1)
                oracle.update_trial(trial.trial_id, {OBJECTIVE.name: tried.score})
                trial.status = TrialStatus.COMPLETED
            else:
                trial.status, trial.message = TrialStatus.FAILED, tried.message
            oracle.end_trial(trial)
            self._report(len(self._tried), oracle.max_trials)

    def train_the_best_on(self) -> None:
        """Trains the best third from rung to rung, and the default with them."""
        for epochs in self._further:
            scores = {order: self._tried[order].score for order in self._alive}
            chosen = promoted(scores, DEFAULT)
            for order in set(self._alive) - set(chosen):
                self._trainings.forget(self._tried[order].values)
            self._alive = []
            for order in chosen:
                if self._reached(self._tried[order], epochs):
                    self._alive.append(order)
                done = f"trained on to {epochs} epochs: {len(self._alive)} of {len(chosen)}"
                self._report(len(self._tried), len(self._tried), done)

    def winner(self, images: int) -> int | None:
        """The trial to take; None where all failed."""
        if self._alive:
            last = {order: self._tried[order].evaluations[-1] for order in self._alive}
            return winner(last, DEFAULT, images)
        # Nothing was left that the default had to be compared with.
        return DEFAULT if self._tried[DEFAULT].evaluations else None

    def records(self) -> tuple[TrialRecord, ...]:
        seen = {order: each.evaluations for order, each in enumerate(self._tried)}
        found = standings({order: each for order, each in seen.items() if each})
        return tuple(
            tried.record(
                order,
                found[order].mean if order in found else None,
                found[order].standard_error if order in found else None,
            )
            for order, tried in enumerate(self._tried)
        )

    def _reached(self, tried: _Tried, epochs: int) -> bool:
        try:
            tried.evaluations.append(self._trainings.evaluate(tried.values, epochs))
        except DivergedError as error:
            tried.message = str(error)
            return False
        return True

    def _report(self, done: int, trials: int, more: str = "") -> None:
        best = max(
            (tried.evaluations[-1] for tried in self._tried if tried.evaluations),
            key=lambda evaluation: evaluation.score,
            default=None,
        )
        notes = [f"best validation accuracy {best.validation_accuracy:.3f}"] if best else []
        progress.report(done, trials, "trials", ", ".join([*notes, more] if more else notes))


def _oracle(
    task: TrainingTask,
    space: SearchSpace,
    description: TaskDescription,
    settings: SearchSettings,
    past: Sequence[PastSearch],
) -> WarmStartOracle:
    trials = settings.fine_tune_trials
    oracle = WarmStartOracle(
        OBJECTIVE,
        trials,
        past if settings.algorithm == "warm" else (),
        task=description,
        cold_every=settings.cold_every,
        first=[configured(task.settings, space)],
        # Keras Tuner takes 0 for "choose one at random".
        seed=task.seed + 1,
        hyperparameters=space.to_hyperparameters(),
        # By default three failures in a row end the search.
        max_consecutive_failed_trials=trials + 1,
    )
    oracle.verbose = 0
    return oracle


def _describe(task: TrainingTask) -> SearchDescription:
    return SearchDescription(
        algorithm="warm",
        seed=task.seed,
        epochs=task.settings.epochs,
        patience=task.settings.patience,
        class_weights=task.settings.class_weights,
        metric=METRIC,
        subject="fine_tuning",
    )


def _key(task: TrainingTask, description: TaskDescription, code: str) -> str:
    """Digest of everything that a trial depends on, beside its values."""
    parts = [
        description.model_dump(),
        task.settings.model_dump(),
        task.head_epochs,
        task.parameters.to_values(),
        task.spec.resize,
        task.seed,
        code,
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _forget_others(scratch: Path, own: Path) -> None:
    """Deletes the gigabytes that killed searches left, but not their finished trials."""
    for directory in scratch.glob("*"):
        if directory != own:
            shutil.rmtree(work_folder(directory), ignore_errors=True)
