"""Trials of workers that died, in Keras Tuner's mode of one chief and many workers.

There a worker asks the chief's oracle for a trial, and answers when it is done. Keras Tuner 1.4.8
never asks what became of it: the trial of a worker that died stays RUNNING, is never made, and the
chief waits for it for ever. Here a worker holds a trial on a lease.

The pipeline's search on many machines, `models.search.workers`, builds on this. In a tuner of one's
own every process runs the same script; its environment says what it is:

    KERASTUNER_ORACLE_IP=10.0.0.1 KERASTUNER_ORACLE_PORT=8000 KERASTUNER_TUNER_ID=chief
    KERASTUNER_ORACLE_IP=10.0.0.1 KERASTUNER_ORACLE_PORT=8000 KERASTUNER_TUNER_ID=worker1

The address is the chief's, the same for all. Workers need names that differ, and may come and go;
when the search has ended, the chief has its trials and `tuner.search` returns in every process. The
script builds a tuner on a `LeasingOracle` such as `WarmStartOracle`, without `overwrite`, with
which each worker would delete the chief's files. To notice a dead worker sooner than after the
longest trial, have the workers give signs of life and shorten the oracle's `trial_timeout`:

    class Tuner(keras_tuner.Tuner):
        def run_trial(self, trial, *args, **kwargs):
            with heartbeat(self.oracle, trial.trial_id):
                return super().run_trial(trial, *args, **kwargs)

    tuner = Tuner(WarmStartOracle("val_accuracy", 50, past, trial_timeout=60), build_model)
    tuner.search(x, y, validation_data=(x_val, y_val))

The port is open to whoever can reach it: it belongs into a network of one's own.
"""

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, Literal

import grpc
import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.src.engine.oracle import LOCKS, THREADS

from models.errors import GraftError

IDLE_SECONDS: Final = 0.1
"""A worker that has to wait asks again at once; the answer takes its time instead."""
MOST_LOST = 3
"""Workers that a trial may cost before it is held to be what kills them."""


Listener = Callable[[Literal["began", "ended"], Trial], None]
"""Told of each trial, in the order in which the oracle learns of it."""


def synchronized(method: Callable[..., Any]) -> Callable[..., Any]:
    """Keras Tuner's decorator for methods of an oracle, that lets go of its lock on errors.

    Keras Tuner keeps the lock when a method raises, because its thread was interrupted by Ctrl-C or
    the disk was full, and every other thread then waits for ever.
    """
    locked = keras_tuner.synchronized(method)

    @functools.wraps(method)
    def call(oracle: keras_tuner.Oracle, *args: Any, **kwargs: Any) -> Any:
        thread = threading.current_thread().name
        is_outermost = THREADS[oracle] != thread
        try:
            return locked(oracle, *args, **kwargs)
        except BaseException:
            if is_outermost and THREADS[oracle] == thread:
                THREADS[oracle] = None
                LOCKS[oracle].release()
            raise

    return call


@contextlib.contextmanager
def heartbeat(oracle: keras_tuner.Oracle, trial_id: str, seconds: float = 10.0) -> Iterator[None]:
    """Lets the chief know that this worker is alive while its trial runs.

    To be put around the body of a tuner's `run_trial`, so that `trial_timeout` may be shorter
    than a trial.

    Args:
        oracle: the tuner's; in a worker it is Keras Tuner's client of the chief.
        trial_id: that is being run.
        seconds: between two beats; several in a `trial_timeout`.
    """
    with beating(lambda: oracle.get_trial(trial_id), seconds):
        yield


@contextlib.contextmanager
def beating(beat: Callable[[], object], seconds: float) -> Iterator[None]:
    """Calls a function every so many seconds while the block runs."""
    done = threading.Event()

    def keep_beating() -> None:
        # A chief that is gone is for the tuner itself to find out.
        with contextlib.suppress(grpc.RpcError, GraftError):
            while not done.wait(seconds):
                beat()

    # A call may wait for its chief for an hour: nobody waits for this thread.
    threading.Thread(target=keep_beating, name="heartbeat", daemon=True).start()
    try:
        yield
    finally:
        done.set()


class LeasingOracle(keras_tuner.Oracle):
    """An oracle that gives the trial of a worker that fell silent to another one.

    A worker is heard of when it asks for a trial, answers, or has a `heartbeat`. A trial whose
    worker was not heard of for `trial_timeout` seconds is handed out again; where the first worker
    was slow and not dead, the answer that comes first counts and the other is passed over. Three
    workers lost make the trial a failed one. Workers without work wait while others are busy, so
    that somebody is left to take over.

    In a search of one process nothing of this is seen.

    Attributes:
        trial_timeout: seconds without a word after which a worker counts for lost.
        listener: told when a trial is proposed and when it has ended, before anybody else hears of
            it; called by whichever thread that happens in.
    """

    def __init__(self, *args: Any, trial_timeout: float = 3600.0, **kwargs: Any) -> None:
        """Takes the timeout; the rest is as for every Keras Tuner oracle.

        Args:
            *args: of the oracle.
            trial_timeout: seconds; without a heartbeat, more than the longest trial takes.
            **kwargs: of the oracle.

        Raises:
            ValueError: `trial_timeout` is not above 0.
        """
        if not trial_timeout > 0:
            raise ValueError(f"trial_timeout takes seconds above 0, but got {trial_timeout}")
        self.listener: Listener | None = None
        self.trial_timeout = trial_timeout
        self._heard: dict[str, float] = {}
        self._lost: dict[str, int] = {}
        super().__init__(*args, **kwargs)

    @property
    def tuner_ids(self) -> set[str]:
        """Workers heard of lately; Keras Tuner's chief ends when there are none."""
        silent = {name for name in self._tuner_ids if self._is_silent(name)}
        self._tuner_ids -= silent - self.ongoing_trials.keys()
        return self._tuner_ids

    @tuner_ids.setter
    def tuner_ids(self, names: set[str]) -> None:
        self._tuner_ids = names

    def create_trial(self, tuner_id: str) -> Trial:
        """Proposes a trial, or hands one out that its worker lost.

        Returns:
            A trial; of status IDLE where one may still come back from another worker.
        """
        trial = self._create_or_wait(tuner_id)
        if trial.status == TrialStatus.IDLE:
            time.sleep(IDLE_SECONDS)
        return trial

    @synchronized
    def update_trial(self, trial_id: str, metrics: dict[str, Any], step: int = 0) -> Trial:
        """Takes the metrics of a trial, unless it has ended already."""
        self._hear_of(trial_id)
        if trial_id in self.end_order:
            return self.trials[trial_id]
        return super().update_trial(trial_id, metrics, step)

    @synchronized
    def end_trial(self, trial: Trial) -> None:
        """Ends a trial, unless it has ended already."""
        self._hear_of(trial.trial_id)
        if trial.trial_id in self.end_order:
            return
        if trial.trial_id in self._retry_queue:
            self._retry_queue.remove(trial.trial_id)
        super().end_trial(trial)
        if self.listener and trial.trial_id in self.end_order:
            self.listener("ended", self.trials[trial.trial_id])

    @synchronized
    def lose(self, tuner_id: str, how: str) -> None:
        """Takes the trial from a worker that is gone, for whoever asks next.

        Args:
            tuner_id: of the worker, which need not have a trial.
            how: what became of workers, said of a trial that has cost too many.
        """
        trial = self.ongoing_trials.pop(tuner_id, None)
        if trial is None:
            return
        lost = self._lost[trial.trial_id] = self._lost.get(trial.trial_id, 0) + 1
        if lost < MOST_LOST:
            # Keras Tuner takes from the end.
            self._retry_queue.insert(0, trial.trial_id)
            return
        trial.status = TrialStatus.FAILED
        trial.message = f"{lost} {how}"
        self.end_trial(trial)

    def reload(self) -> None:
        """Reads the project back; what was running is handed out again."""
        super().reload()
        # Keras Tuner writes a trial down as ended while it still counts it as running.
        self._retry_queue[:] = [each for each in self._retry_queue if each not in self.end_order]

    @synchronized
    def let_go(self) -> None:
        """Hands all trials that are running to whoever asks next, as their workers are gone."""
        for trial in self.ongoing_trials.values():
            self._retry_queue.insert(0, trial.trial_id)
        self.ongoing_trials.clear()
        self._tuner_ids.clear()

    def get_trial(self, trial_id: str) -> Trial:
        """The trial of this name; its worker is still there."""
        self._hear_of(trial_id)
        return super().get_trial(trial_id)

    @synchronized
    def _create_or_wait(self, tuner_id: str) -> Trial:
        self._heard[tuner_id] = time.monotonic()
        self._reclaim()
        proposed = len(self.trials)
        trial = super().create_trial(tuner_id)
        if self.listener and len(self.trials) > proposed:
            self.listener("began", trial)
        if trial.status == TrialStatus.STOPPED and self.ongoing_trials:
            self.tuner_ids.add(tuner_id)
            trial.status = TrialStatus.IDLE
        return trial

    def _reclaim(self) -> None:
        for name in tuple(self.ongoing_trials):
            if self._is_silent(name):
                self.lose(name, "workers fell silent while they were at this trial")

    def _hear_of(self, trial_id: str) -> None:
        for name, trial in list(self.ongoing_trials.items()):
            if trial.trial_id == trial_id:
                self._heard[name] = time.monotonic()

    def _is_silent(self, tuner_id: str) -> bool:
        # A chief that was started again has heard of nobody yet.
        heard = self._heard.setdefault(tuner_id, time.monotonic())
        return time.monotonic() - heard > self.trial_timeout
