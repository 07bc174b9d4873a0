"""Has the stretches of a search made, by this process, others and other machines."""

import os
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from keras_tuner.engine.trial import Trial, TrialStatus

from models import progress
from models.errors import GraftError, UsageError
from models.oracles.freeze_thaw_oracle import FreezeThawOracle
from models.oracles.leases import MOST_LOST
from models.search.costs import Costs
from models.search.joint_space import candidate_of
from models.search.reports import report_to
from models.search.search_record import Step
from models.search.stretch_runner import StretchRunner, configuration_of
from models.search.tried import Tried, last_line
from models.search.workers.journal import Event, Journal
from models.search.workers.search_server import SearchServer
from models.search.workers.search_worker import make_trials
from models.search.workers.stage import Stage
from models.search.workers.worker_processes import WorkerProcesses

_CHIEF: Final = "KERASTUNER_ORACLE_IP"
"""In the environment it tells Keras Tuner's own processes of each other."""
_PROJECT: Final = "keras_tuner"
"""Folder of the files that Keras Tuner writes."""
_GLANCE_SECONDS: Final = 0.1
"""Between two looks at whether all processes are alive."""
_LONGEST: Final = 1000
"""Characters of a reason that are kept."""
_MOST_LOST_PROCESSES: Final = 20


class Stretches:
    """Asks an oracle for one stretch after the other, until its budget is spent.

    One whose worker died or fell silent is handed out again (`models.oracles.leases`). A search
    that was killed first goes through what had happened, in that order, and so is proposed the same
    stretches; those that were being made then are handed out again, and go on where their training
    was.

    Attributes:
        tried: the configurations so far.
        steps: what was known after each stretch.
    """

    def __init__(
        self, oracle: FreezeThawOracle, runner: StretchRunner, costs: Costs, directory: Path
    ) -> None:
        """Puts the parts together.

        Args:
            oracle: proposes stretches.
            runner: makes them, and finds those that were made when the search is run again.
            costs: told what has been begun.
            directory: of this search alone.

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
        oracle.listener = self._heard
        self.tried = Tried()
        self.steps: list[Step] = []
        self._oracle = oracle
        self._runner = runner
        self._costs = costs
        self._journal = Journal(directory / "journal.json")
        self._side_by_side = 1
        self._began = time.monotonic()

    @property
    def elapsed(self) -> float:
        """Seconds by the clock so far.

        Of what an earlier process had made, those that each of as many processes spent.
        """
        return time.monotonic() - self._began

    def make(
        self, server: SearchServer | None = None, processes: WorkerProcesses | None = None
    ) -> None:
        """Has all of them made.

        Args:
            server: that workers ask; None where there are none.
            processes: workers of this machine; None where this process trains too.

        Raises:
            GraftError: too many processes were killed.
            OSError: the disk is full or the folder cannot be written.
        """
        if processes:
            self._side_by_side = processes.count
        self._go_through(self._journal.earlier)
        self._began = time.monotonic() - self._oracle.spent / self._side_by_side
        stage = Stage(self._oracle, self._runner)
        if server:
            server.stage = stage
        if processes is None:
            make_trials(stage, "run", self._runner)
        else:
            processes.start()
            self._await(stage, processes)
        if stage.error is not None:
            raise stage.error
        if not any(record.evaluations for record in self.tried.records):
            # Failures are remembered, but not those of a search that has to be mended.
            self._journal.forget()

    def _await(self, stage: Stage, processes: WorkerProcesses) -> None:
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
            if lost > MOST_LOST + _MOST_LOST_PROCESSES:
                raise GraftError(
                    f"{lost} worker processes were killed. Expected memory for tuning.parallel "
                    "processes, each with backbones of its own."
                )

    def _heard(self, kind: Literal["began", "ended"], trial: Trial) -> None:
        """Keeps what happens, before anything is proposed on it."""
        has_failed = kind == "ended" and trial.status != TrialStatus.COMPLETED
        values = trial.hyperparameters.values
        message = last_line(trial.message) if has_failed else ""
        candidate = candidate_of(values)
        refused = self._runner.refused.get(candidate, "") if has_failed else ""
        self._journal.add(
            Event(
                kind=kind,
                trial=int(trial.trial_id),
                values=values,
                message=message,
                refused=refused[:_LONGEST],
            )
        )
        if kind == "began":
            return
        if refused:
            self._oracle.withdraw(lambda each: candidate_of(each) == candidate)
        self._costs.pay(configuration_of(values))
        evaluation = None if has_failed else self._runner.find(values)
        self.tried.add(configuration_of(values), evaluation, message)
        best = max(
            (each.evaluations[-1] for each in self.tried.records if each.evaluations),
            key=lambda each: each.score,
            default=None,
        )
        spent, note = self._oracle.spent, ""
        if best:
            accuracy = best.validation_accuracy
            self.steps.append(Step(seconds=spent, score=best.score, accuracy=accuracy))
            note = f"best validation accuracy {accuracy:.3f}"
        # By the clock: each process spends as much of the budget, which is the sum.
        budget = self._oracle.budget / self._side_by_side
        done = min(spent / self._side_by_side, budget)
        progress.report(round(done), round(budget), "seconds", note)

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
            elif not self._end_again(running[event.trial], event):
                break
        self._oracle.let_go()

    def _end_again(self, trial: Trial, event: Event) -> bool:
        """Ends a trial as it ended before; false when its evaluation is lost."""
        evaluation = self._runner.find(trial.hyperparameters.values)
        if evaluation is None and not event.message:
            return False
        if evaluation is None:
            if event.refused:
                self._runner.refuse(candidate_of(event.values), event.refused)
            trial.status, trial.message = TrialStatus.FAILED, event.message
        else:
            trial.status = TrialStatus.COMPLETED
            report_to(self._oracle, trial, evaluation)
        self._oracle.end_trial(trial)
        return True
