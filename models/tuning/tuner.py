"""Keras Tuner's search loop around the head trainer."""

import math
import os
import time
from pathlib import Path
from typing import Any

import keras_tuner
from keras_tuner.engine.base_tuner import BaseTuner
from keras_tuner.engine.trial import Trial

from models import progress
from models.errors import UsageError
from models.heads import HeadParameters
from models.tuning.head_trainer import HeadTrainer
from models.tuning.oracles import OBJECTIVE
from models.tuning.records import Evaluation, SearchDescription, TrialRecord
from models.tuning.score import curve_scores
from models.tuning.space import Values
from models.tuning.stopping import SearchStopper, TrialStopper
from models.tuning.store import TrialStore
from models.tuning.workers import Job

_CHIEF = "KERASTUNER_ORACLE_IP"
"""In the environment it makes Keras Tuner's loop wait for processes on other machines."""


class HeadTuner(BaseTuner):
    """Runs the trials that an oracle proposes on this machine, and keeps a record of each.

    Attributes:
        records: one for each trial that ended, failed ones included, in order.
        ended: why the search ended before its last trial; empty when it did not.
    """

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        trainer: HeadTrainer,
        search: SearchDescription,
        store: TrialStore,
        directory: Path,
        *,
        stopper: SearchStopper,
    ) -> None:
        """Puts the parts together.

        Args:
            oracle: proposes trials and decides when to stop; its objective is `OBJECTIVE`.
            trainer: trains the heads.
            search: epochs, patience and seed of each training.
            store: keeps finished trials, which are found again when the search is run a second
                time.
            directory: of this search alone, for the files that Keras Tuner writes.
            stopper: says when the search should end before its last trial.

        Raises:
            UsageError: the environment asks for a search on many machines.
        """
        if _CHIEF in os.environ:
            raise UsageError(
                f"{_CHIEF} is set, as for a search on many machines, but this one stays on its own "
                "and would wait for the others. Unset it; models/tuning/leases.py tells which "
                "searches may use many."
            )
        # Keras Tuner's own files are not read again; see `models.tuning.store`.
        super().__init__(
            oracle, directory=str(directory), project_name="keras_tuner", overwrite=True
        )
        oracle.verbose = 0
        self.records: list[TrialRecord] = []
        self.ended = ""
        self._trainer = trainer
        self._search = search
        self._store = store
        self._stopper = stopper
        self._trial_stopper = TrialStopper()
        self._evaluations: dict[str, Evaluation] = {}
        self._started: dict[str, float] = {}

    def on_trial_begin(self, trial: Trial) -> None:
        """Starts the clock of a trial."""
        self._started[trial.trial_id] = time.perf_counter()
        super().on_trial_begin(trial)

    def run_trial(self, trial: Trial, *_: Any, **__: Any) -> dict[str, float]:
        """Trains the head that the trial describes, or looks the outcome up.

        Raises:
            DivergedError: no epoch ended with finite losses; Keras Tuner counts a failed trial.
        """
        values: Values = trial.hyperparameters.values
        evaluation = self._store.get(values, self._search.seed)
        if evaluation is None:
            evaluation = self._job(trial).run(self._trainer)
            self._store.put(values, evaluation)
        self._trial_stopper.ended(curve_scores(evaluation.curve, self._trainer.task.classes))
        self._evaluations[trial.trial_id] = evaluation
        return {OBJECTIVE.name: evaluation.score}

    def on_trial_end(self, trial: Trial) -> None:
        """Records the trial, hands its score to the oracle, and ends the search if that pays."""
        self.records.append(self._record(trial))
        progress.report(
            len(self.records), self.oracle.max_trials, "trials", best_so_far(self.records)
        )
        super().on_trial_end(trial)
        self.ended = self.ended or self._stopper.reason_to_end(len(self.records))
        if self.ended:
            # Keras Tuner's loop asks for nothing else.
            self.oracle.max_trials = len(self.oracle.trials)

    def _job(self, trial: Trial) -> Job:
        return Job(
            name=trial.trial_id,
            parameters=HeadParameters.from_values(trial.hyperparameters.values),
            epochs=self._search.epochs,
            patience=self._search.patience,
            seed=self._search.seed,
            should_stop=self._trial_stopper.should_stop if self._search.stop_trials else None,
        )

    def _record(self, trial: Trial) -> TrialRecord:
        evaluation = self._evaluations.pop(trial.trial_id, None)
        started = self._started.pop(trial.trial_id)
        if evaluation is None:
            return TrialRecord(
                order=len(self.records),
                status="failed",
                values=trial.hyperparameters.values,
                seconds=time.perf_counter() - started,
                message=_last_line(trial.message or "no reason was given"),
            )
        return TrialRecord(
            order=len(self.records),
            status="completed",
            values=trial.hyperparameters.values,
            score=evaluation.score,
            evaluations=(evaluation,),
            seconds=evaluation.seconds,
        )


def best_so_far(records: list[TrialRecord]) -> str:
    """The best trial's validation accuracy in words; empty when none has completed."""
    best = max(records, key=lambda each: -math.inf if each.score is None else each.score)
    if not best.evaluations:
        return ""
    return f"best validation accuracy {best.evaluations[0].validation_accuracy:.3f}"


def _last_line(message: str) -> str:
    """Of a traceback, the line that says what happened."""
    return message.strip().splitlines()[-1][:500]
