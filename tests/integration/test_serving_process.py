"""The server as a process: flags, drain at SIGTERM, no life after its parent."""

import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from models.errors import GraftError
from serving.client import predict_grpc, predict_rest
from serving.server_process import ServerProcess

_PARENT = """
import pathlib, sys, time
from serving.server_process import ServerProcess
with ServerProcess("m", pathlib.Path(sys.argv[1])) as server:
    server.wait()
    print(server.pid, flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def base_path(small_models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base [1]* {path} é")
    shutil.copytree(small_models[0], folder / "1")
    return folder


def _connections(pid: int) -> int:
    """Sockets that a process holds open."""
    held = []
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed since it was listed
            held.append(str(file.readlink()))
    return sum(name.startswith("socket:") for name in held)


def test_it_answers_and_drains_at_sigterm(base_path: Path, pictures: list[bytes]) -> None:
    with ServerProcess("m", base_path) as server:
        addresses = server.wait()
        rest = predict_rest(addresses.url, "m", pictures)
        assert predict_grpc(addresses.target, "m", pictures).labels == rest.labels

        answers: list[tuple[tuple[str, ...], ...]] = []
        many = pictures * 300
        client = threading.Thread(
            target=lambda: answers.append(predict_rest(addresses.url, "m", many).labels)
        )
        idle = _connections(server.pid)
        client.start()
        while _connections(server.pid) <= idle and client.is_alive():
            time.sleep(0.01)
        os.kill(server.pid, signal.SIGTERM)
        client.join()
        assert answers == [rest.labels * 300]


@pytest.mark.slow
def test_a_model_that_does_not_load_is_told_by_the_parent(base_path: Path, tmp_path: Path) -> None:
    shutil.copytree(base_path, tmp_path / "broken")
    (tmp_path / "broken" / "1" / "variables" / "variables.data-00000-of-00001").write_bytes(b"")
    with (
        ServerProcess("m", tmp_path / "broken") as server,
        pytest.raises(GraftError, match=r"ended with code 1\. It said: .*does not load"),
    ):
        server.wait()


def test_it_ends_with_its_parent(base_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", _PARENT, str(base_path)], stdout=subprocess.PIPE, text=True
    )
    assert parent.stdout is not None
    server = Path("/proc") / parent.stdout.readline().strip()
    assert server.is_dir()
    parent.kill()
    parent.wait()
    deadline = time.monotonic() + 120
    while server.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not server.exists()
