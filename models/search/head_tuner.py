"""The trials of a search for a head: who makes them, and what came of them."""

import math
import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from models import progress
from models.errors import GraftError, UsageError
from models.head.head_trainer import DivergedError
from models.head.stopping import SearchStopper
from models.history.records import Evaluation, TrialRecord
from models.history.search_space import Values
from models.oracles.algorithms import OBJECTIVE
from models.oracles.leases import MOST_LOST, LeasingOracle
from models.search.trial_runner import TrialRunner
from models.search.workers.journal import Event, Journal
from models.search.workers.search_server import SearchServer
from models.search.workers.search_worker import make_trials
from models.search.workers.stage import ListedOracle, Stage
from models.search.workers.worker_processes import WorkerProcesses

_CHIEF = "KERASTUNER_ORACLE_IP"
"""In the environment it tells Keras Tuner's own processes of each other."""
_PROJECT = "keras_tuner"
"""Folder of the files that Keras Tuner writes."""
_GLANCE_SECONDS = 0.1
"""Between two looks at whether all processes are alive."""


class HeadTuner:
    """Has the trials made that an oracle proposes, and keeps a record of each.

    They are made by processes of this machine or, where there are none, by this one; and by
    whoever joins from other machines. A trial whose worker died or fell silent is handed out again
    (`models.oracles.leases`). A search with workers that was killed first goes through what had
    happened, in that order, and so is proposed the same trials; those that were running then are
    handed out again, and looked up where they were finished.

    Attributes:
        records: one for each trial that ended, failed ones included, in order.
        ended: why the search ended before its last trial; empty when it did not.
    """

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        runner: TrialRunner,
        directory: Path,
        *,
        stopper: SearchStopper,
    ) -> None:
        """Puts the parts together.

        Args:
            oracle: proposes trials and decides when to stop; its objective is `OBJECTIVE`.
            runner: trains the heads, and finds finished trials again when the search is run a
                second time.
            directory: of this search alone, for the files that Keras Tuner writes.
            stopper: says when the search should end before its last trial.

        Raises:
            UsageError: the environment asks for a search on many machines.
        """
        if _CHIEF in os.environ:
            raise UsageError(
                f"{_CHIEF} is set, with which Keras Tuner's processes find each other, but this "
                "search is told of other machines by the configuration alone. Unset it; with "
                "tuning.serve others may join by `graft worker`."
            )
        # Keras Tuner's own files are not read again; see `models.search.trial_store`.
        shutil.rmtree(directory / _PROJECT, ignore_errors=True)
        oracle._set_project_dir(str(directory), _PROJECT)
        oracle.verbose = 0
        self.records: list[TrialRecord] = []
        self.ended = ""
        self._oracle = oracle
        self._runner = runner
        self._directory = directory
        self._stopper = stopper
        self._journal: Journal | None = None
        self._server: SearchServer | None = None
        self._processes: WorkerProcesses | None = None
        self._started: dict[str, float] = {}

    def use_workers(
        self, server: SearchServer, processes: WorkerProcesses | None, journal: Path
    ) -> None:
        """Lets others make trials. To be told before the search.

        Args:
            server: that workers ask.
            processes: workers of this machine; None where this process makes trials too.
            journal: file that keeps what happens.

        Raises:
            UsageError: the oracle has no leases.
        """
        if not isinstance(self._oracle, LeasingOracle):
            raise UsageError(
                "tuning.parallel and tuning.serve take an oracle with leases, but got "
                f"{type(self._oracle).__name__}; see models/oracles/leases.py."
            )
        self._server = server
        self._processes = processes
        self._journal = Journal(journal)

    def search(self) -> None:
        """Runs all trials."""
        if has_leases := isinstance(self._oracle, LeasingOracle):
            self._oracle.listener = self._heard
        if self._journal:
            self._go_through(self._journal.earlier)
        listener = None if has_leases else self._heard
        self._have_made(Stage(self._oracle, self._runner, listener))
        if self._journal and not any(trial.evaluations for trial in self.records):
            # Failures are remembered, but not those of a search that has to be mended.
            self._journal.forget()

    def prepare(self, configurations: Sequence[Values], fold: int) -> None:
        """Has workers train configurations that will be asked for, beside each other."""
        missing = [each for each in configurations if self._runner.find(each, fold) is None]
        if self._server is None or not missing:
            return
        oracle = ListedOracle(missing, trial_timeout=self._oracle.trial_timeout)
        oracle._set_project_dir(str(self._directory / _PROJECT), f"fold-{fold}")
        self._have_made(Stage(oracle, self._runner, fold=fold))

    def evaluate(self, values: Values, fold: int) -> Evaluation:
        """Trains a configuration on a fold, or looks the outcome up.

        Raises:
            DivergedError: nothing came of it.
        """
        if self._server and self._runner.find(values, fold) is None:
            # What killed other processes must not be begun in this one.
            raise DivergedError(f"no worker came to an end with {values} on fold {fold}")
        return self._runner.run(values, fold)

    def _have_made(self, stage: Stage) -> None:
        """Waits until all trainings of a stage are made."""
        if self._processes and _has_ended(stage.oracle):
            return
        if self._server:
            self._server.stage = stage
        if self._processes is None:
            make_trials(stage, "run", self._runner)
        else:
            self._processes.start()
            self._await_processes(stage, self._processes)
        if stage.error is not None:
            raise stage.error

    def _await_processes(self, stage: Stage, processes: WorkerProcesses) -> None:
        lost = 0
        while not stage.over.wait(_GLANCE_SECONDS):
            for name, code in processes.replace_dead().items():
                if code >= 0 and name not in stage.oracle.ongoing_trials:
                    raise GraftError(
                        f"A worker process ended with exit code {code} without a trial. It has "
                        "said why on standard error; finished trials are kept."
                    )
                stage.oracle.lose(name, "processes died while they were at this training")
                lost += 1
            if lost > MOST_LOST * stage.oracle.max_trials:
                raise GraftError(
                    f"{lost} worker processes were killed, more than all trials may cost. Expected "
                    "memory for tuning.parallel processes, each with a copy of the embeddings."
                )

    def _heard(self, kind: Literal["began", "ended"], trial: Trial) -> None:
        """Keeps what happens, before anything is proposed on it."""
        if self._journal:
            has_failed = kind == "ended" and trial.status == TrialStatus.FAILED
            event = Event(
                kind=kind,
                trial=int(trial.trial_id),
                values=trial.hyperparameters.values,
                message=last_line(trial.message) if has_failed else "",
            )
            self._journal.add(event)
        if kind == "began":
            self._started[trial.trial_id] = time.perf_counter()
        else:
            self._note_ended()

    def _go_through(self, events: Sequence[Event]) -> None:
        """Does again what an earlier process did, for as far as it would do the same."""
        running: dict[int, Trial] = {}
        for event in events:
            if event.kind == "began":
                trial = self._oracle.create_trial(f"earlier {event.trial}")
                if trial.status != TrialStatus.RUNNING:
                    break
                running[event.trial] = trial
                if trial.hyperparameters.values != event.values:
                    break
            elif not self._end_again(running[event.trial], event.message):
                break
        self._oracle.let_go()

    def _end_again(self, trial: Trial, message: str) -> bool:
        """Ends a trial as it ended before; false when its evaluation is lost."""
        evaluation = self._runner.find(trial.hyperparameters.values)
        if evaluation is None and not message:
            return False
        if evaluation is None:
            trial.status, trial.message = TrialStatus.FAILED, message
        else:
            trial.status = TrialStatus.COMPLETED
            self._oracle.update_trial(trial.trial_id, {OBJECTIVE.name: evaluation.score})
        self._oracle.end_trial(trial)
        return True

    def _note_ended(self) -> None:
        """Records what ended since the last time, and ends the search if that pays."""
        for name in self._oracle.end_order[len(self.records) :]:
            self.records.append(self._record(self._oracle.trials[name]))
            progress.report(
                len(self.records), self._oracle.max_trials, "trials", best_so_far(self.records)
            )
            self.ended = self.ended or self._stopper.reason_to_end(len(self.records))
        if self.ended:
            # The oracle asks for nothing else.
            self._oracle.max_trials = len(self._oracle.trials)

    def _record(self, trial: Trial) -> TrialRecord:
        started = self._started.pop(trial.trial_id)
        evaluation = None
        if trial.status == TrialStatus.COMPLETED:
            evaluation = self._runner.find(trial.hyperparameters.values)
        if evaluation is None:
            return TrialRecord(
                order=len(self.records),
                status="failed",
                values=trial.hyperparameters.values,
                seconds=time.perf_counter() - started,
                message=last_line(trial.message),
            )
        self._runner.note(evaluation)
        return TrialRecord(
            order=len(self.records),
            status="completed",
            values=trial.hyperparameters.values,
            score=evaluation.score,
            evaluations=(evaluation,),
            seconds=evaluation.seconds,
        )


def _has_ended(oracle: LeasingOracle) -> bool:
    """Whether an oracle has nothing more to make; asked while no worker is at a trial."""
    if oracle.create_trial("nobody").status == TrialStatus.STOPPED:
        return True
    oracle.let_go()
    return False


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
