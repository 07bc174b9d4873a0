"""Processes that train heads beside each other on one machine."""

import contextlib
import os
import signal
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait

import tensorflow as tf

from models.head.head_trainer import HeadTrainer
from models.head.hyperparameters import HeadParameters
from models.head.stopping import ShouldStop
from models.history.records import Evaluation
from models.search.folds import FoldTrainers
from models.training.device import prepare_device

_MOST_LOST = 3
"""Processes that a job may cost before it is held to be what kills them."""


@dataclass(frozen=True)
class Job:
    """One training; see `HeadTrainer.train`.

    Attributes:
        name: tells it apart from the others.
        parameters: of the head.
        epochs: most epochs.
        patience: epochs without a better score.
        seed: of the training.
        should_stop: a copy goes to the process.
        fold: of the task, from 0; None for the task as it is.
    """

    name: str
    parameters: HeadParameters
    epochs: int
    patience: int
    seed: int
    should_stop: ShouldStop | None = None
    fold: int | None = None

    def run(self, trainer: HeadTrainer) -> Evaluation:
        """Trains.

        Args:
            trainer: of the fold.

        Raises:
            DivergedError: no epoch ended with finite losses.
        """
        return trainer.train(
            self.parameters,
            epochs=self.epochs,
            patience=self.patience,
            seed=self.seed,
            should_stop=self.should_stop,
        ).evaluation


Outcome = Evaluation | str
"""What came of a job; why nothing did, as a traceback whose last line says it."""


class Workers:
    """Trains heads in processes of their own, for as long as a `with` block lasts.

    A process takes seconds to import TensorFlow and holds a copy of the task's data: each is
    started once. One that dies, killed for its memory for instance, is replaced, and its job begun
    again; a job that costs three processes has failed. When the process that made them dies,
    however suddenly, they end with the training that they are at. As for all of Python's
    multiprocessing, a script that is run must not do its work when it is merely imported.

    Attributes:
        count: of processes.
    """

    def __init__(self, trainers: FoldTrainers, count: int) -> None:
        """Takes what they will work with.

        Args:
            trainers: a copy goes to each process, which must be able to import their class.
            count: of processes, at least 1; they share the cores evenly.
        """
        self.count = count
        self._trainers = trainers
        self._idle: list[_Worker] = []
        self._busy: dict[Connection, tuple[_Worker, Job]] = {}
        self._lost: dict[str, int] = {}

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for worker in [*self._idle, *(worker for worker, _ in self._busy.values())]:
            worker.kill()

    def run(self, jobs: Iterable[Job]) -> Iterator[tuple[str, Outcome]]:
        """Gives the names and outcomes of jobs, in the order in which they end."""
        waiting = deque(jobs)
        while waiting or self._busy:
            while waiting and len(self._busy) < self.count:
                self.begin(waiting.popleft())
            yield self.next_outcome()

    def begin(self, job: Job) -> None:
        """Gives a job to a process; fewer than `count` may be busy."""
        if not self._idle and not self._busy:
            # Not earlier: a search that only looks up what it had finished needs none.
            self._idle = [self._start() for _ in range(self.count)]
        worker = self._idle.pop()
        self._busy[worker.connection] = worker, job
        worker.begin(job)

    def next_outcome(self) -> tuple[str, Outcome]:
        """Waits for the end of any job; one must have begun.

        Returns:
            The job's name, and its outcome.
        """
        while True:
            ready = wait(list(self._busy))[0]
            assert isinstance(ready, Connection)
            worker, job = self._busy.pop(ready)
            try:
                outcome: Outcome = ready.recv()
            except (EOFError, ConnectionError):
                worker.kill()
                self._idle.append(self._start())
                lost = self._lost[job.name] = self._lost.get(job.name, 0) + 1
                if lost < _MOST_LOST:
                    self.begin(job)
                    continue
                outcome = f"{lost} processes died while they were at this training"
            else:
                self._idle.append(worker)
            return job.name, outcome

    def _start(self) -> "_Worker":
        cores = len(os.sched_getaffinity(0))
        return _Worker(self._trainers, threads=max(1, cores // self.count))


class _Worker:
    """One process, and the end of a pipe to it."""

    def __init__(self, trainers: FoldTrainers, threads: int) -> None:
        # A fork would share the state of TensorFlow's threads without the threads.
        context = get_context("spawn")
        self.connection, other_end = context.Pipe()
        self._process = context.Process(target=_work, args=(other_end, threads), daemon=True)
        self._process.start()
        # Or its death would not be heard of.
        other_end.close()
        self._trainers: FoldTrainers | None = trainers

    def begin(self, job: Job) -> None:
        # Death shows when the outcome is waited for.
        with contextlib.suppress(ConnectionError):
            if self._trainers:
                # Not earlier: large data waits until it is read, and many import at once.
                self.connection.send(self._trainers)
                self._trainers = None
            self.connection.send(job)

    def kill(self) -> None:
        self._process.kill()
        self._process.join()
        self.connection.close()


def _work(connection: Connection, threads: int) -> None:
    """What runs in a process, until the other one hangs up."""
    # Ctrl-C in a terminal comes to all; the one that made this one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    prepare_device()
    with contextlib.suppress(EOFError, ConnectionError):
        trainers: FoldTrainers = connection.recv()
        while True:
            connection.send(_outcome(trainers, connection.recv()))


def _outcome(trainers: FoldTrainers, job: Job) -> Outcome:
    try:
        return job.run(trainers[job.fold])
    except Exception:  # noqa: BLE001 - as Keras Tuner does: whatever it was, the trial has failed
        return traceback.format_exc()
