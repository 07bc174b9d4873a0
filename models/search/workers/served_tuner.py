"""A search that workers on other machines take part in."""

import logging
import time
from pathlib import Path
from typing import Any, Literal

from keras_tuner.engine.trial import Trial, TrialStatus

from models import progress
from models.errors import UsageError
from models.head.head_trainer import HeadTrainer
from models.history.records import SearchDescription, TrialRecord
from models.oracles.algorithms import OBJECTIVE
from models.oracles.leases import LeasingOracle, heartbeat
from models.search.head_tuner import HeadTuner, last_line
from models.search.trial_store import TrialStore
from models.search.workers.journal import Event, Journal
from models.search.workers.search_server import serving
from models.search.workers.search_worker import BEAT_SECONDS

_log = logging.getLogger(__name__)

_FOLDER_SECONDS = 30.0
"""After which a file that another machine wrote can be read here, even through NFS' caches."""


class ServingHeadTuner(HeadTuner):
    """Makes trials here, one at a time, and serves the oracle to whoever makes others.

    Workers keep what they finish in the store before they say so: it has the learning curves. A
    trial whose worker fell silent is handed out again (`models.oracles.leases`). A search that was
    killed first goes through what had happened, in that order, and so is proposed the same trials;
    those that were running then are handed out again, and looked up where they were finished.
    """

    def __init__(
        self,
        oracle: LeasingOracle,
        trainer: HeadTrainer,
        search: SearchDescription,
        store: TrialStore,
        directory: Path,
        *,
        address: str,
        journal: Path,
        code: str,
        **kwargs: Any,
    ) -> None:
        """Takes the address; the rest is as for `HeadTuner`.

        Args:
            oracle: with leases.
            trainer: of `HeadTuner`.
            search: of `HeadTuner`.
            store: in the folder `TRIALS` of the directory.
            directory: on a file system that the other machines see too.
            address: `HOST:PORT` to serve at.
            journal: file that keeps what happened.
            code: digest of the training code.
            **kwargs: of `HeadTuner`.

        Raises:
            UsageError: the oracle has no leases.
        """
        if not isinstance(oracle, LeasingOracle):
            raise UsageError(
                f"tuning.serve takes an oracle with leases, but got {type(oracle).__name__}; see "
                "models/oracles/leases.py."
            )
        super().__init__(oracle, trainer, search, store, directory, **kwargs)
        self._served: dict[str, Any] = {
            "task": trainer.task,
            "search": search,
            "code": code,
        }
        self._address = address
        self._folder = directory
        self._journal = Journal(journal)

    def search(self) -> None:
        """Runs all trials.

        Raises:
            UsageError: the address cannot be listened at.
        """
        self.oracle.listener = self._heard
        self._go_through(self._journal.earlier)
        with serving(self.oracle, self._address, self._folder, **self._served):
            words = f"Other machines may join by: graft worker {self._folder.absolute()}"
            _log.info(words)
            progress.report(
                len(self.records), self.oracle.max_trials, "trials", words, is_lasting=True
            )
            super().search()
            self._note_ended()

    def pre_create_trial(self) -> None:
        """Records what others finished meanwhile."""
        self._note_ended()

    def run_trial(self, trial: Trial, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Trains the head that the trial describes, or looks the outcome up.

        Raises:
            DivergedError: no epoch ended with finite losses; Keras Tuner counts a failed trial.
        """
        with heartbeat(self.oracle, trial.trial_id, BEAT_SECONDS):
            return super().run_trial(trial, *args, **kwargs)

    def _heard(self, kind: Literal["began", "ended"], trial: Trial) -> None:
        if kind == "began":
            self._started[trial.trial_id] = time.perf_counter()
        has_failed = trial.status == TrialStatus.FAILED
        message = last_line(trial.message) if kind == "ended" and has_failed else ""
        values = trial.hyperparameters.values
        self._journal.add(
            Event(kind=kind, trial=int(trial.trial_id), values=values, message=message)
        )

    def _go_through(self, events: list[Event]) -> None:
        """Does again what an earlier process did, for as far as it would do the same."""
        running: dict[int, Trial] = {}
        for event in events:
            if event.kind == "began":
                trial = self.oracle.create_trial(f"earlier {event.trial}")
                if trial.status != TrialStatus.RUNNING:
                    break
                running[event.trial] = trial
                if trial.hyperparameters.values != event.values:
                    break
            elif not self._end_again(running[event.trial], event.message):
                break
        self.oracle.let_go()

    def _end_again(self, trial: Trial, message: str) -> bool:
        """Ends a trial as it ended before; false when its evaluation is lost."""
        evaluation = self._runner.find(trial.hyperparameters.values)
        if evaluation is None and not message:
            return False
        if evaluation is None:
            trial.status, trial.message = TrialStatus.FAILED, message
        else:
            trial.status = TrialStatus.COMPLETED
            self.oracle.update_trial(trial.trial_id, {OBJECTIVE.name: evaluation.score})
        self.on_trial_end(trial)
        return True

    def _record(self, trial: Trial) -> TrialRecord:
        is_elsewhere = trial.trial_id not in self._evaluations
        if is_elsewhere and trial.status == TrialStatus.COMPLETED:
            self._await_evaluation(trial)
        return super()._record(trial)

    def _await_evaluation(self, trial: Trial) -> None:
        """Reads what another process has written."""
        deadline = time.monotonic() + _FOLDER_SECONDS
        while True:
            evaluation = self._runner.find(trial.hyperparameters.values)
            if evaluation is not None:
                self._evaluations[trial.trial_id] = evaluation
                return
            if time.monotonic() > deadline:
                trial.message = "its worker said that it is done, but the folder does not have it"
                return
            time.sleep(0.2)
