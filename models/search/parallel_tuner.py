"""A search whose trials run beside each other, in processes on one machine."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from keras_tuner.engine.trial import Trial, TrialStatus
from pydantic import TypeAdapter, ValidationError

from models.errors import GraftError
from models.history.records import Evaluation
from models.search.head_tuner import HeadTuner
from models.search.worker_processes import Workers
from models.storage.seals import read_sealed, write_sealed


class TrainingFailedError(GraftError):
    """A training in another process failed; the message is what that process said."""


class ParallelHeadTuner(HeadTuner):
    """Runs as many trials at a time as there are workers.

    A trial is proposed whenever a worker is free, from the scores of the trials that have ended.
    So the order in which trials end decides what is proposed, and it is kept: a search that was
    killed goes through it again first, is proposed the same trials, and finds those that were
    finished.

    Keras Tuner's own way, a chief that workers ask over the network, is for many machines (see
    `models.search.workers`): it needs a port that others can reach.
    """

    def __init__(self, *args: Any, workers: Workers, order: Path, **kwargs: Any) -> None:
        """Takes the workers; the rest is as for `HeadTuner`.

        Args:
            *args: of `HeadTuner`.
            workers: without a job.
            order: file that keeps the order in which trials end.
            **kwargs: of `HeadTuner`.
        """
        super().__init__(*args, **kwargs)
        self._workers = workers
        self._order = EndOrder(order)
        self._running: dict[int, Trial] = {}
        self._done: dict[int, str] = {}
        """What went wrong, by the number of the trial; empty where nothing did."""

    def search(self) -> None:
        """Runs all trials."""
        while True:
            while len(self._running) < self._workers.count:
                if not self._begin_trial():
                    break
            if not self._running:
                return
            self._end_trial(self._next_to_end())

    def run_trial(self, trial: Trial, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Looks the outcome up, once a worker is done with the trial.

        Raises:
            TrainingFailedError: there is none; Keras Tuner counts a failed trial.
        """
        error = self._done.pop(int(trial.trial_id))
        if error:
            raise TrainingFailedError(error)
        return super().run_trial(trial, *args, **kwargs)

    def _begin_trial(self) -> bool:
        """Has the oracle propose a trial; false when it has none, or none yet."""
        for running in self._running.values():
            # No trial of this process is ever lost; oracles with leases must hear so.
            self.oracle.get_trial(running.trial_id)
        places = {str(number) for number in range(self._workers.count)}
        trial = self.oracle.create_trial(min(places - self.oracle.ongoing_trials.keys()))
        if trial.status != TrialStatus.RUNNING:
            return False
        number = int(trial.trial_id)
        self._running[number] = trial
        self.on_trial_begin(trial)
        values = trial.hyperparameters.values
        if self._runner.find(values) is None:
            self._workers.begin(self._runner.job(trial.trial_id, values))
        else:
            self._done[number] = ""
        return True

    def _next_to_end(self) -> int:
        """Waits for the trial that ended next before, or else for any."""
        expected = self._order.expected(self._running)
        while True:
            if expected in self._done:
                return expected
            if expected is None and self._done:
                return next(iter(self._done))
            name, outcome = self._workers.next_outcome()
            trial = self._running[int(name)]
            if isinstance(outcome, Evaluation):
                self._runner.keep(trial.hyperparameters.values, outcome)
                outcome = ""
            self._done[int(name)] = outcome

    def _end_trial(self, number: int) -> None:
        trial = self._running.pop(number)
        self._try_run_and_update_trial(trial)
        # Before anything is proposed on its score.
        self._order.add(number)
        self.on_trial_end(trial)


class EndOrder:
    """The order in which the trials of a search end, kept in a file."""

    def __init__(self, path: Path) -> None:
        """Reads what an earlier process wrote; a file that cannot be read counts for none."""
        self._path = path
        self._kept = _read(path)
        self._ended: list[int] = []

    def expected(self, running: Collection[int]) -> int | None:
        """Which of the running trials ended next before; None when that is not known."""
        place = len(self._ended)
        if place < len(self._kept) and self._kept[place] in running:
            return self._kept[place]
        return None

    def add(self, number: int) -> None:
        """Notes that a trial has ended.

        Raises:
            OSError: the disk is full or the folder cannot be written.
        """
        self._ended.append(number)
        if self._kept[: len(self._ended)] != self._ended:
            self._kept = list(self._ended)
            write_sealed(self._path, json.dumps(self._kept).encode())


def _read(path: Path) -> list[int]:
    try:
        return TypeAdapter(list[int]).validate_json(read_sealed(path) or b"", strict=True)
    except ValidationError:
        return []
