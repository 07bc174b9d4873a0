"""Hands the trials of an oracle to workers, and what comes of them to the oracle."""

import threading

from keras_tuner.engine.trial import Trial, TrialStatus

from models.oracles.freeze_thaw_oracle import FreezeThawOracle
from models.search.joint_space import candidate_of
from models.search.reports import report_to
from models.search.stretch_runner import StretchRunner
from models.search.workers.messages import Answer, Report


class Stage:
    """The trials of one search; calls may come from any thread.

    Attributes:
        oracle: proposes the trials.
        over: set when all trials have ended, or when something went wrong.
        error: what went wrong.
    """

    def __init__(
        self,
        oracle: FreezeThawOracle,
        runner: StretchRunner,
    ) -> None:
        """Takes the parts.

        Args:
            oracle: proposes the trials.
            runner: keeps what workers made.
        """
        self.oracle = oracle
        self.over = threading.Event()
        self.error: BaseException | None = None
        self._runner = runner

    def next(self, report: Report) -> Answer:
        """Takes what came of a worker's last job, and gives it the next one.

        Raises:
            OSError: the disk is full or the folder cannot be written.
        """
        if self.over.is_set():
            return Answer(is_over=True)
        try:
            self._end(report)
            trial = self.oracle.create_trial(report.worker)
        except BaseException as error:
            self.error = error
            self.over.set()
            raise
        if trial.status == TrialStatus.STOPPED:
            self.over.set()
        if trial.status != TrialStatus.RUNNING:
            return Answer(is_over=self.over.is_set())
        return Answer(job=trial.trial_id, values=trial.hyperparameters.values)

    def beat(self, report: Report) -> Answer:
        """Hears that a worker is still at its job, or that it leaves it to others."""
        if report.leaves:
            self.oracle.lose(report.worker, "workers could not have its backbone")
            return Answer()
        trial = self._trial(report.job)
        if trial is not None:
            self.oracle.get_trial(trial.trial_id)
        return Answer()

    def _end(self, report: Report) -> None:
        trial = self._trial(report.job)
        if trial is None:
            return
        if report.refused:
            self._runner.refuse(candidate_of(trial.hyperparameters.values), report.refused)
        ended = Trial(trial.hyperparameters, trial.trial_id, TrialStatus.INVALID, report.message)
        if report.evaluation is not None:
            self._runner.keep(trial.hyperparameters.values, report.evaluation)
            report_to(self.oracle, trial, report.evaluation)
            ended.status = TrialStatus.COMPLETED
        self.oracle.end_trial(ended)

    def _trial(self, job: str) -> Trial | None:
        """The trial of a job; None where there is no such job."""
        return self.oracle.trials.get(job)
