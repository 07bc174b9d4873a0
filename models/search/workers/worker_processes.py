"""Workers of a search in processes of this machine."""

import math
import os
import signal
import sys
import threading
from multiprocessing import get_context, parent_process
from multiprocessing.context import SpawnProcess
from pathlib import Path

import tensorflow as tf

from models.errors import GraftError
from models.search.stretch_runner import StretchRunner
from models.search.workers.search_worker import work
from models.storage.own_temporary import own_temporary
from models.training.device import prepare_device


class WorkerProcesses:
    """Processes that take part in a search.

    A process takes seconds to import TensorFlow and holds backbones of its own: each is
    started once, and replaced if it dies, killed for its memory for instance. When the process that
    made them dies, however suddenly, they end at once. As for all of Python's multiprocessing, a
    script that is run must not do its work when it is merely imported.

    Attributes:
        count: of processes.
    """

    def __init__(
        self,
        count: int,
        folder: Path,
        code: str,
        kind: type[StretchRunner],
        secret: bytes = b"",
    ) -> None:
        """Takes what they need to know.

        Args:
            count: of processes; they share the cores evenly.
            folder: of the search, which must be served there when they start.
            code: of `models.search.workers.search_worker.work`, as the next.
            kind: of runner; they must be able to import it.
            secret: as `code`.
        """
        self.count = count
        self._arguments = folder, code, kind, secret
        self._processes: dict[str, SpawnProcess] = {}

    def kill(self) -> None:
        """Ends them all."""
        for process in self._processes.values():
            process.kill()
            process.join()

    def start(self) -> None:
        """Starts them, where they are not yet."""
        for number in range(len(self._processes), self.count):
            self._start(f"process {number}")

    def replace_dead(self) -> dict[str, int]:
        """Starts another process for each that has died, under the same name.

        Returns:
            Exit codes by the names of workers; below 0 of those that were killed.
        """
        codes = {name: process.exitcode for name, process in self._processes.items()}
        dead = {name: code for name, code in codes.items() if code is not None}
        for name in dead:
            self._start(name)
        return dead

    def _start(self, name: str) -> None:
        threads = max(1, len(os.sched_getaffinity(0)) // self.count)
        # A fork would share the state of TensorFlow's threads without the threads.
        process = get_context("spawn").Process(
            target=_work, args=(threads, name, *self._arguments), daemon=True
        )
        process.start()
        self._processes[name] = process


def _work(
    threads: int, name: str, folder: Path, code: str, kind: type[StretchRunner], secret: bytes
) -> None:
    """What runs in a process."""
    # Ctrl-C in a terminal comes to all; the one that made this one decides.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    prepare_device()
    try:
        with own_temporary():
            work(folder, code=code, timeout=math.inf, name=name, kind=kind, secret=secret)
    except (OSError, GraftError) as error:
        sys.exit(f"{name}: {error}")


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
