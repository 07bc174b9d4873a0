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
from models.head.head_trainer import HeadTrainer
from models.head.stopping import SearchStopper
from models.history.records import Evaluation, SearchDescription, TrialRecord
from models.oracles.algorithms import OBJECTIVE
from models.search.trial_runner import TrialRunner
from models.search.trial_store import TrialStore

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
                f"{_CHIEF} is set, with which Keras Tuner's processes find each other, but this "
                "search is told of other machines by the configuration alone and would wait for "
                "ever. Unset it; with tuning.serve others may join by `graft worker`."
            )
        # Keras Tuner's own files are not read again; see `models.search.trial_store`.
        super().__init__(
            oracle, directory=str(directory), project_name="keras_tuner", overwrite=True
        )
        oracle.verbose = 0
        self.records: list[TrialRecord] = []
        self.ended = ""
        self._runner = TrialRunner(trainer, search, store)
        self._stopper = stopper
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
        evaluation = self._runner.run(trial.trial_id, trial.hyperparameters.values)
        self._evaluations[trial.trial_id] = evaluation
        return {OBJECTIVE.name: evaluation.score}

    def on_trial_end(self, trial: Trial) -> None:
        """Hands the score to the oracle, records the trial, and ends the search if that pays."""
        super().on_trial_end(trial)
        self._note_ended()

    def _note_ended(self) -> None:
        """Records what ended since the last time."""
        for name in self.oracle.end_order[len(self.records) :]:
            self.records.append(self._record(self.oracle.trials[name]))
            progress.report(
                len(self.records), self.oracle.max_trials, "trials", best_so_far(self.records)
            )
            self.ended = self.ended or self._stopper.reason_to_end(len(self.records))
        if self.ended:
            # Keras Tuner's loop asks for nothing else.
            self.oracle.max_trials = len(self.oracle.trials)

    def _record(self, trial: Trial) -> TrialRecord:
        evaluation = self._evaluations.pop(trial.trial_id, None)
        started = self._started.pop(trial.trial_id)
        if evaluation is None:
            return TrialRecord(
                order=len(self.records),
                status="failed",
                values=trial.hyperparameters.values,
                seconds=time.perf_counter() - started,
                message=last_line(trial.message),
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


def last_line(message: str | None) -> str:
    """Of a traceback, the line that says what happened; never empty."""
    lines = (message or "").strip().splitlines()
    return lines[-1][:500] if lines else "no reason was given"
