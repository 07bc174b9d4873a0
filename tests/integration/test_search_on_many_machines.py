"""A search that is served, and `graft worker` in processes of their own."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from graft_command import GRAFT, await_that, finish
from sklearn.datasets import load_digits
from small_ranges import RANGES

from models.history.tuning_history import read_history

TRIALS = 18
EPOCHS = 250
LIMIT_SECONDS = 600.0
TESTS = Path(__file__).parents[1]

RUN = '''
"""The search of WarmTuner, whose own first trial takes until `go` is there."""

import sys, time
from pathlib import Path
from components.code_fingerprint import code_fingerprint
from killed_search import read_task
from models.head.task_description import Origin, describe
from models.head.head_trainer import HeadTrainer
from models.history.tuning_history import write_history
from models.oracles import leases
from models.search.head_search import search_heads
from models.search.search_settings import SearchSettings

folder = Path(sys.argv[1])


class Clock:
    """An hour ahead once a worker was killed: how busy the machine is must not matter."""

    sleep = staticmethod(time.sleep)

    @staticmethod
    def monotonic():
        return time.monotonic() + 3600.0 * (folder / "killed").exists()


leases.time = Clock


class Trainer(HeadTrainer):
    def train(self, *args, **kwargs):
        while not (folder / "go").exists():
            time.sleep(0.1)
        return super().train(*args, **kwargs)


task = read_task(folder)
settings = SearchSettings.from_json((folder / "settings.json").read_text())
description = describe(task, Origin("pixels", "none", "0" * 64, 8, data_fingerprint="f" * 64))
result = search_heads(
    Trainer(task), description, settings, folder / "scratch",
    patience=settings.epochs, code=code_fingerprint("components.warm_tuner"),
)
write_history(folder / "history.jsonl", result.history)
'''


class Hosts:
    """The processes of a search, all on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        images, classes = load_digits(return_X_y=True)
        embeddings = images.astype(np.float32)
        np.savez(
            folder / "task.npz",
            train=embeddings[:600],
            train_classes=classes[:600],
            validation=embeddings[600:1000],
            validation_classes=classes[600:1000],
        )
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{free.getsockname()[1]}"
        settings = {
            "trials": TRIALS,
            "algorithm": "warm",
            "serve": address,
            "epochs": EPOCHS,
            "stop_trials": False,
            "finalists": 1,
            **RANGES,
        }
        (folder / "settings.json").write_text(json.dumps(settings))
        self._processes: list[subprocess.Popen[str]] = []

    def start(self, *command: str | Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": f"{TESTS.parent}:{TESTS}"},
        )
        self._processes.append(process)
        return process

    def run(self) -> subprocess.Popen[str]:
        """The run; serves its search when this returns."""
        run = self.start(sys.executable, "-c", RUN, self.folder)
        await_that(lambda: run.poll() is not None or self.is_served, "the search is served")
        assert run.poll() is None, run.communicate()
        return run

    def workers(self, count: int) -> list[subprocess.Popen[str]]:
        """Workers; each has made a trial when this returns."""
        started = [self.start(*GRAFT, "worker", self.search) for _ in range(count)]
        for worker in started:
            self.await_trials(worker)
        return started

    def await_trials(self, worker: subprocess.Popen[str], count: int = 1) -> None:
        """Waits until a worker has made so many more."""
        assert worker.stdout is not None
        limit = threading.Timer(LIMIT_SECONDS, worker.kill)
        limit.start()
        for line in worker.stdout:
            count -= "trials made" in line
            if not count:
                limit.cancel()
                return
        raise AssertionError(f"the worker ended: {worker.communicate()}")

    @property
    def is_served(self) -> bool:
        return bool(list(self.folder.glob("scratch/*/served.json")))

    @property
    def search(self) -> Path:
        (folder,) = self.folder.glob("scratch/*")
        return folder

    def kept(self) -> dict[Path, int]:
        """Finished trials, with the time at which each was written."""
        files = self.search.glob("trials/[!.]*.json")
        return {file: file.stat().st_mtime_ns for file in files}

    def go(self) -> None:
        """Lets the run make its own trials."""
        (self.folder / "go").touch()

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    made = Hosts(tmp_path)
    yield made
    made.stop()


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate()


def assert_whole(hosts: Hosts, run: subprocess.Popen[str]) -> None:
    """The run ends, and its history has all trials with their curves."""
    answer = finish(run)
    assert answer.code == 0, answer.err
    history = read_history(hosts.folder / "history.jsonl")
    assert len(history.completed) == len(history.trials) == TRIALS
    assert len({str(trial.values) for trial in history.trials}) == TRIALS
    for trial in history.trials:
        assert [len(each.curve.validation_loss) for each in trial.evaluations] == [EPOCHS]
    assert len(hosts.kept()) == TRIALS


@pytest.mark.slow
def test_neither_a_killed_worker_nor_a_killed_run_costs_a_trial(hosts: Hosts) -> None:
    run = hosts.run()
    victim, worker = hosts.workers(2)
    kill(run)
    finished = hosts.kept()
    assert len(finished) >= 2

    again = hosts.run()
    for each in (victim, worker):
        hosts.await_trials(each)
    kill(victim)
    (hosts.folder / "killed").touch()
    hosts.go()
    assert_whole(hosts, again)
    answer = finish(worker)
    assert answer.code == 0, answer.err
    assert "The search has ended" in answer.out
    assert not hosts.is_served
    # What workers had finished was not made again.
    assert finished.items() <= hosts.kept().items()


@pytest.mark.slow
def test_ctrl_c_ends_a_worker_and_a_run(hosts: Hosts) -> None:
    run = hosts.run()
    worker, other = hosts.workers(2)
    worker.send_signal(signal.SIGINT)
    assert finish(worker).code == 130
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=300)
    assert run.returncode not in (0, -signal.SIGKILL)
    assert not hosts.is_served
    assert finish(other).code == 0
