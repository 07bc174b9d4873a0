"""Searches that other processes take part in: of this machine, and by `graft worker`."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port
from graft_command import GRAFT, await_that, finish
from search_digits import search_task

from models.history.tuning_history import read_history
from models.search.search_record import read_record
from models.search.search_task import SearchTask

TESTS = Path(__file__).parents[1]
SIZES = (32, 40)

RUN = '''
"""The search of Tuner; trains itself only once `go` is there."""

import sys, time
from pathlib import Path
from components.code_fingerprint import code_fingerprint
from models.head.task_description import Origin, describe
from models.history.tuning_history import write_history
from models.progress import listening
from models.search.joint_search import JointSearch
from models.search.search_record import write_record
from models.search.search_settings import SearchSettings
from models.search.search_task import SearchTask
from models.search.stretch_runner import StretchRunner

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    run = StretchRunner.run

    def wait(self, values):
        while not (folder / "go").exists():
            time.sleep(0.1)
        return run(self, values)

    StretchRunner.run = wait
    task = SearchTask.model_validate_json((folder / "task.json").read_text())
    settings = SearchSettings.from_json((folder / "settings.json").read_text())
    code = code_fingerprint("components.tuner")
    search = JointSearch(task, settings, folder / "scratch", code=code)
    origin = Origin("EfficientNetLite0", "imagenet", "0" * 64, 32, data_fingerprint="f" * 64)
    told = []
    with listening(told.append):
        result = search.run(describe(search.embeddings, origin))
    (folder / "told").write_text(f"of {told[-1].total} {told[-1].unit}")
    write_history(folder / "history.jsonl", result.history)
    write_record(folder, result.record)
'''


class Hosts:
    """The processes of a search over frozen backbones, all on this machine."""

    def __init__(self, digits: Path, folder: Path, **settings: Any) -> None:
        self.folder = folder
        task = search_task(digits, folder, strategy="feature_extraction")
        task = SearchTask.model_validate(
            task.model_dump()
            | {
                "candidates": [
                    {"backbone": "EfficientNetLite0", "weights": "imagenet", "image_size": size}
                    for size in SIZES
                ]
            }
        )
        (folder / "task.json").write_text(task.model_dump_json())
        (folder / "settings.json").write_text(json.dumps({"budget": 3000.0, **settings}))
        (folder / "run.py").write_text(RUN)
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
        return self.start(sys.executable, self.folder / "run.py", self.folder)

    def worker(self) -> subprocess.Popen[str]:
        """A worker of the search, which is served when this returns."""
        await_that(lambda: self.is_served, "the search is served")
        (search,) = self.folder.glob("scratch/*")
        return self.start(*GRAFT, "worker", search)

    @property
    def is_served(self) -> bool:
        return bool(list(self.folder.glob("scratch/*/served.json")))

    def kept(self) -> dict[Path, int]:
        """Finished stretches, with the time at which each was written."""
        files = self.folder.glob("scratch/*/trials/[!.]*.json")
        return {file: file.stat().st_mtime_ns for file in files}

    def go(self) -> None:
        """Lets the run train, too."""
        (self.folder / "go").touch()

    def stop(self) -> None:
        for process in self._processes:
            process.kill()
            process.communicate()


@pytest.fixture
def served(digits_folder: Path, tmp_path: Path) -> Iterator[Hosts]:
    made = Hosts(digits_folder, tmp_path, serve=f"127.0.0.1:{free_port()}")
    yield made
    made.stop()


def assert_whole(hosts: Hosts, run: subprocess.Popen[str]) -> None:
    """The run ends, and its history has all configurations."""
    answer = finish(run)
    assert answer.code == 0, answer.err
    history = read_history(hosts.folder / "history.jsonl")
    assert {each.values["model.image_size"] for each in history.completed} == set(SIZES)
    assert len(hosts.kept()) == len(SIZES)


def test_processes_of_this_machine_share_a_search(digits_folder: Path, tmp_path: Path) -> None:
    hosts = Hosts(digits_folder, tmp_path, parallel=2)
    hosts.go()
    try:
        began = time.monotonic()
        assert_whole(hosts, hosts.run())
        assert not hosts.is_served
        record = read_record(hosts.folder)
        assert record.is_shared
        assert 0.0 < record.elapsed < time.monotonic() - began
        # By the clock: two processes spend two seconds of the budget in one.
        assert (hosts.folder / "told").read_text() == "of 1500 seconds"
    finally:
        hosts.stop()


@pytest.mark.slow
def test_neither_a_killed_worker_nor_a_killed_run_costs_a_stretch(served: Hosts) -> None:
    run = served.run()
    worker = served.worker()
    await_that(lambda: len(served.kept()) >= 1, "the worker has made a stretch")
    run.send_signal(signal.SIGKILL)
    worker.send_signal(signal.SIGKILL)
    for process in (run, worker):
        process.communicate()
    finished = served.kept()
    served.go()
    again = served.run()
    assert_whole(served, again)
    # What the worker had finished was not made again.
    assert finished.items() <= served.kept().items()


@pytest.mark.slow
def test_ctrl_c_ends_a_worker_and_a_run(served: Hosts) -> None:
    run = served.run()
    worker, other = served.worker(), served.worker()
    await_that(lambda: len(served.kept()) >= 1, "a worker has made a stretch")
    worker.send_signal(signal.SIGINT)
    assert finish(worker).code == 130
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=300)
    assert run.returncode not in (0, -signal.SIGKILL)
    assert not served.is_served
    assert finish(other).code == 0
