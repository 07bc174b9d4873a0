"""The embedded server over real sockets: the life of versions."""

import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from serving_requests import request_json, rest_url, server_settings

from models.errors import GraftError
from serving.client import predict_rest
from serving.servables.registry import Target
from serving.servables.versions import State, VersionStatus
from serving.server.model_server import ModelServer

Answer = Callable[[Path, list[bytes]], np.ndarray]


def _states(statuses: list[VersionStatus]) -> dict[int, State]:
    return {status.version: status.state for status in statuses}


def _await(server: ModelServer, states: dict[int, State]) -> None:
    """Waits for states; on a slow machine other versions may have come and gone before."""
    reached = server.registry.wait_for(
        "m", lambda statuses: states.items() <= _states(statuses).items(), timeout=120
    )
    assert reached, server.registry.statuses(Target("m"))


def _message(server: ModelServer, version: int) -> str:
    status = next(s for s in server.registry.statuses(Target("m")) if s.version == version)
    return status.error.message if status.error else ""


@pytest.fixture
def base_path(small_models: tuple[Path, Path], tmp_path: Path) -> Path:
    shutil.copytree(small_models[0], tmp_path / "base" / "1")
    return tmp_path / "base"


def test_a_new_version_takes_over_without_a_lost_request(
    base_path: Path, small_models: tuple[Path, Path], pictures: list[bytes], answer_of: Answer
) -> None:
    answers, stopping = [], threading.Event()
    with ModelServer(server_settings(base_path)) as server:

        def ask() -> None:
            while not stopping.is_set():
                answers.append(predict_rest(rest_url(server), "m", pictures).probabilities)

        client = threading.Thread(target=ask)
        client.start()
        shutil.copytree(small_models[1], base_path / ".new")
        (base_path / ".new").rename(base_path / "2")
        _await(server, {1: State.END, 2: State.AVAILABLE})
        enough = len(answers) + 2
        while len(answers) < enough and client.is_alive():
            time.sleep(0.01)
        stopping.set()
        client.join()
    old, new = (answer_of(model, pictures) for model in small_models)
    changes = [np.allclose(answer, new, atol=1e-5) for answer in answers]
    assert changes == sorted(changes)
    assert changes[-1]
    for answer, changed in zip(answers, changes, strict=True):
        np.testing.assert_allclose(answer, new if changed else old, atol=1e-5)


def test_removing_the_newest_version_brings_the_older_back(
    base_path: Path, small_models: tuple[Path, Path]
) -> None:
    shutil.copytree(small_models[1], base_path / "2")
    with ModelServer(server_settings(base_path)) as server:
        _await(server, {2: State.AVAILABLE})
        (base_path / "2").rename(base_path / "removed")
        _await(server, {1: State.AVAILABLE, 2: State.END})
        (base_path / "1").rename(base_path / "removed-too")
        _await(server, {1: State.END, 2: State.END})


def test_a_version_that_does_not_load_leaves_the_old_one_in_service(
    base_path: Path, small_models: tuple[Path, Path], pictures: list[bytes]
) -> None:
    with ModelServer(server_settings(base_path)) as server:
        shutil.copytree(small_models[1], base_path / "2")
        data = base_path / "2" / "variables" / "variables.data-00000-of-00001"
        whole = data.read_bytes()
        data.write_bytes(whole[:-8])
        _await(server, {1: State.AVAILABLE, 2: State.END})
        assert _message(server, 2)
        assert len(predict_rest(rest_url(server), "m", pictures).labels) == 3
        status, content = request_json(server, "GET", "/v1/models/m/versions/2")
        entry = content["model_version_status"][0]
        assert (status, entry["state"]) == (200, "END")
        assert entry["status"]["error_code"] != "OK"
        data.write_bytes(whole)
        _await(server, {1: State.END, 2: State.AVAILABLE})


@pytest.mark.parametrize(
    "late",
    ["saved_model.pb", "variables/variables.index", "variables/variables.data-00000-of-00001"],
)
def test_a_half_copied_version_is_not_served(
    base_path: Path, small_models: tuple[Path, Path], tmp_path: Path, late: str
) -> None:
    with ModelServer(server_settings(base_path)) as server:
        half = tmp_path / "half"
        shutil.copytree(small_models[1], half)
        (half / late).rename(tmp_path / "late")
        half.rename(base_path / "2")
        _await(server, {1: State.AVAILABLE, 2: State.START})
        while not _message(server, 2):
            time.sleep(0.01)
        assert "Waiting for a whole version 2: " in _message(server, 2)
        (tmp_path / "late").rename(base_path / "2" / late)
        _await(server, {1: State.END, 2: State.AVAILABLE})


def test_a_server_may_start_before_its_first_version(
    tmp_path: Path, small_models: tuple[Path, Path], pictures: list[bytes]
) -> None:
    server = ModelServer(server_settings(tmp_path / "later"))
    starting = threading.Thread(target=server.start)
    starting.start()
    time.sleep(0.2)
    shutil.copytree(small_models[0], tmp_path / "later" / "1")
    starting.join()
    assert len(predict_rest(rest_url(server), "m", pictures).labels) == 3
    server.stop()


def test_a_server_whose_only_version_does_not_load_says_why(base_path: Path) -> None:
    (base_path / "1" / "variables" / "variables.data-00000-of-00001").write_bytes(b"")
    server = ModelServer(server_settings(base_path))
    with pytest.raises(GraftError, match=r"become available: \{\{\{name: m version: 1\} due"):
        server.start()
