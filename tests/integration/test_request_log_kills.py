"""kill -9 of the server and of the log's writer: each answer is in the log, and none twice."""

import base64
import http.client
import json
import os
import random
import shutil
import signal
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from models.observation.log_entry import Counts
from models.observation.request_log_files import SEGMENT, log_files
from serving.server_process import ServerProcess

pytestmark = pytest.mark.slow  # each starts servers
_CLIENTS = 3


@pytest.fixture(scope="module")
def base_path(small_models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    shutil.copytree(small_models[0], folder / "1")
    return folder


class Clients:
    """Ask without end until the server is gone, and note what was answered."""

    def __init__(self, url: str, image: bytes, name: str) -> None:
        self.answered: list[str] = []
        self._url = f"{url}/v1/models/m:predict"
        encoded = base64.b64encode(image).decode()
        self._body = json.dumps({"instances": [{"b64": encoded}]}).encode()
        self._threads = [
            threading.Thread(target=self._ask, args=(f"{name}-{n}",)) for n in range(_CLIENTS)
        ]
        self.stopping = threading.Event()
        for thread in self._threads:
            thread.start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join()

    def await_answers(self, count: int) -> None:
        deadline = time.monotonic() + 120
        while len(self.answered) < count:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def _ask(self, name: str) -> None:
        number = 0
        while not self.stopping.is_set():
            number += 1
            identifier = f"{name}-{number}"
            asked = urllib.request.Request(
                self._url, self._body, headers={"X-Request-Id": identifier}
            )
            try:
                with urllib.request.urlopen(asked, timeout=60) as response:
                    response.read()
            except (OSError, http.client.HTTPException):
                return
            self.answered.append(identifier)


def _logged(folder: Path) -> tuple[Counter[str], int]:
    """Request ids of the log, and how many requests it counts."""
    ids: Counter[str] = Counter()
    counts = Counts()
    for file in log_files(folder):
        for batch in file.batches():
            ids.update(batch["request_id"].to_pylist())
        counts.update(file.counts())
    return ids, sum(counts.requests.values())


@contextmanager
def _serving(base_path: Path, log: Path) -> Iterator[tuple[ServerProcess, str]]:
    with ServerProcess("m", base_path, flags=[f"--request_log={log}"]) as server:
        yield server, server.wait(600).url


def _writers(pid: int) -> list[int]:
    """Processes that a server has beside it to write its log."""
    tasks = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    lines = {child: Path(f"/proc/{child}/cmdline").read_bytes() for child in children}
    return [child for child, line in lines.items() if b"request_log" in line]


def _await_parquet(folder: Path) -> None:
    deadline = time.monotonic() + 120
    while any(path.suffix == SEGMENT for path in folder.iterdir()):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_what_a_killed_server_answered_is_in_the_log_once(
    base_path: Path, tmp_path: Path, pictures: list[bytes]
) -> None:
    draw = random.Random(0)
    answered: list[str] = []
    for turn in range(2):
        with _serving(base_path, tmp_path / "log") as (server, url):
            clients = Clients(url, pictures[0], f"turn-{turn}")
            clients.await_answers(draw.randint(20, 60))
            os.kill(server.pid, signal.SIGKILL)
            clients.join()
            answered += clients.answered
    # Its writer goes on without it.
    _await_parquet(tmp_path / "log")
    ids, counted = _logged(tmp_path / "log")
    assert set(answered) <= set(ids)
    assert set(ids.values()) == {1}
    # What was answered when the server was killed may not have reached the client any more.
    assert len(ids) - len(answered) <= 2 * _CLIENTS
    assert counted == len(ids)


def test_a_killed_writer_costs_nothing_and_is_followed_by_another(
    base_path: Path, tmp_path: Path, pictures: list[bytes]
) -> None:
    log = tmp_path / "log"
    with _serving(base_path, log) as (server, url):
        clients = Clients(url, pictures[0], "only")
        (first,) = _writers(server.pid)
        clients.await_answers(20)
        os.kill(first, signal.SIGKILL)
        deadline = time.monotonic() + 120
        while (found := _writers(server.pid)) in ([], [first]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        clients.await_answers(len(clients.answered) + 20)
        clients.stopping.set()
        clients.join()
        assert len(found) == 1
    _await_parquet(log)
    ids, counted = _logged(log)
    assert ids == Counter(clients.answered)
    assert counted == len(clients.answered)
