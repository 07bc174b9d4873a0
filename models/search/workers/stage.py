"""Part of a search whose trainings workers make: all trials of one oracle."""

import threading
from collections.abc import Sequence
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus

from models.history.search_space import Values
from models.oracles.algorithms import OBJECTIVE
from models.oracles.leases import LeasingOracle, Listener
from models.search.trial_runner import TrialRunner
from models.search.workers.messages import Answer, Report


class Stage:
    """Hands the trials of an oracle to workers, and what comes of them to the oracle.

    With leases in the oracle, calls may come from any thread.

    Attributes:
        oracle: proposes the trials.
        over: set when all trials have ended, or when something went wrong.
        error: what went wrong.
    """

    def __init__(
        self,
        oracle: keras_tuner.Oracle,
        runner: TrialRunner,
        listener: Listener | None = None,
        fold: int | None = None,
    ) -> None:
        """Takes the parts.

        Args:
            oracle: with `OBJECTIVE`.
            runner: keeps what workers made.
            listener: told of each trial, where the oracle does not tell it by itself.
            fold: that all of them are validated on; None for the task as it is.
        """
        self.oracle = oracle
        self.over = threading.Event()
        self.error: BaseException | None = None
        self._runner = runner
        self._listener = listener
        self._fold = fold
        self._prefix = "trial" if fold is None else f"fold-{fold}"

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
            if self._listener and trial.status == TrialStatus.RUNNING:
                self._listener("began", trial)
        except BaseException as error:
            self.error = error
            self.over.set()
            raise
        if trial.status == TrialStatus.STOPPED:
            self.over.set()
        if trial.status != TrialStatus.RUNNING:
            return Answer(is_over=self.over.is_set())
        return Answer(
            job=f"{self._prefix}-{trial.trial_id}",
            values=trial.hyperparameters.values,
            fold=self._fold,
        )

    def beat(self, report: Report) -> Answer:
        """Hears that a worker is still at its job."""
        trial = self._trial(report.job)
        if trial is not None:
            self.oracle.get_trial(trial.trial_id)
        return Answer()

    def _end(self, report: Report) -> None:
        trial = self._trial(report.job)
        if trial is None:
            return
        ended = Trial(trial.hyperparameters, trial.trial_id, TrialStatus.INVALID, report.message)
        if report.evaluation is not None:
            self._runner.keep(trial.hyperparameters.values, report.evaluation)
            score = {OBJECTIVE.name: report.evaluation.score}
            self.oracle.update_trial(trial.trial_id, score)
            ended.status = TrialStatus.COMPLETED
        self.oracle.end_trial(ended)
        if self._listener:
            self._listener("ended", trial)

    def _trial(self, job: str) -> Trial | None:
        """The trial of a job; None where there is no job, or one of another stage."""
        prefix, _, name = job.rpartition("-")
        return self.oracle.trials.get(name) if prefix == self._prefix else None


class ListedOracle(LeasingOracle):
    """Proposes given configurations, each once."""

    def __init__(self, configurations: Sequence[Values], **options: Any) -> None:
        """Takes the configurations; the rest is as for `LeasingOracle`."""
        count = len(configurations)
        super().__init__(
            objective=OBJECTIVE,
            max_trials=count,
            max_consecutive_failed_trials=count + 1,
            **options,
        )
        self.verbose = 0
        self._configurations = configurations

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """The next configuration; Keras Tuner calls it."""
        return {"status": TrialStatus.RUNNING, "values": dict(self._configurations[int(trial_id)])}
