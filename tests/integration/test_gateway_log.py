"""What a gateway logs of a server that logs nothing itself."""

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fake_model_server import EMBEDDING, SIGNALS, Behaviour, FakeServer
from free_ports import free_port
from gateway_clients import IMAGE, ask, needs_nginx
from small_reference import small_reference

from models.observation.log_entry import Counts
from models.observation.reference import REFERENCE, write_reference
from models.observation.request_log_files import log_files
from serving.gateway.settings import GatewaySettings
from serving.request_log.settings import RequestLogSettings
from serving.rollout.controller import Controller
from serving.rollout.gateway_log import Copy, GatewayLog, Watched
from serving.rollout.judge import Rules

_IMAGE = b"\0\0\0"
LINE = (
    '{"time":1800000000.5,"id":"%s","api":"grpc","method":"POST","variant":"stable",'
    '"label":"","status":200,"grpc_status":"%s","seconds":0.25}\n'
)


def _watched(folder: Path, server: FakeServer, **settings: Any) -> Watched:
    version = folder / "versions" / "1" / "assets.extra"
    version.mkdir(parents=True, exist_ok=True)
    write_reference(version / REFERENCE, small_reference())
    address = server.address.rest
    log = RequestLogSettings(folder / "log", **settings)
    return Watched("m", folder / "versions", {"stable": address, "canary": address}, log)


def _rows(folder: Path) -> list[dict[str, Any]]:
    batches = (batch for file in log_files(folder / "log") for batch in file.batches())
    return [row for batch in batches for row in batch.to_pylist()]


def _counted(folder: Path) -> dict[tuple[str, str, int], int]:
    counts = Counts()
    for file in log_files(folder / "log"):
        counts.update(file.counts())
    found: dict[tuple[str, str, int], int] = {}
    for key, count in counts.requests.items():
        short = (key.protocol, key.status, key.version)
        found[short] = found.get(short, 0) + count
    return found


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _check_image(row: dict[str, Any], identifier: str, weight: float) -> None:
    reference = small_reference()
    embedding = np.array([EMBEDDING], np.float32)
    assert (row["request_id"], row["version"], row["status"]) == (identifier, 1, "OK")
    assert row["digest"] == hashlib.sha256(_IMAGE).hexdigest()
    assert (row["class_ids"], row["weight"]) == ([0, 1], weight)
    assert row["projection"] == reference.project(embedding)[0].tolist()
    np.testing.assert_allclose(row["signals"], SIGNALS, rtol=1e-6)


@needs_nginx
def test_a_gateway_counts_all_requests_and_asks_about_copies_again(tmp_path: Path) -> None:
    behaviours = {1: Behaviour()}
    with FakeServer(behaviours, {1}) as server:
        settings = GatewaySettings("m", server.address, server.address, port=free_port())
        watched = _watched(tmp_path, server)
        controller = Controller(settings, tmp_path / "g", "/m", Rules(), print, watched)
        try:
            controller.step()
            assert ask(settings.port, headers={"X-Request-Id": "first"}).status == 200
            _await(lambda: any(row["status"] == "OK" for row in _rows(tmp_path)))
            behaviours[1].status = 503
            assert ask(settings.port, headers={"X-Request-Id": "second"}).status == 503
            assert ask(settings.port, "/elsewhere").status == 404
            _await(lambda: sum(_counted(tmp_path).values()) == 3 or controller.step() is None)
        finally:
            controller.close()
    assert _counted(tmp_path) == {
        ("REST", "OK", 1): 1, ("REST", "UNAVAILABLE", 1): 1, ("REST", "NOT_FOUND", 1): 1
    }  # fmt: skip
    rows = {row["request_id"]: row for row in _rows(tmp_path)}
    _check_image(rows["first"], "first", 1.0)
    assert rows["second"]["status"] == "UNAVAILABLE"
    assert rows["second"]["projection"] is None


@pytest.mark.parametrize(
    "body",
    [
        IMAGE,
        b'{"instances": [{"b64": "AAAA"}]}',
        b'{"instances": [{"image_bytes": {"b64": "AAAA"}}]}',
        b'{"inputs": [{"b64": "AAAA"}]}',
    ],
)
def test_each_form_of_a_request_is_understood(tmp_path: Path, body: bytes) -> None:
    with FakeServer({1: Behaviour()}, {1}, {"stable": 1}) as server:
        log = GatewayLog(_watched(tmp_path, server), tmp_path / "requests.jsonl")
        log.labels, log.share = {"stable": 1}, 20
        log.copied(Copy("a", "stable", {}, body))
        log.close()
        _check_image(_rows(tmp_path)[0], "a", 5.0)
        assert json.loads(server.seen[0][2])["signature_name"] == "monitored"
    assert _counted(tmp_path) == {}


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"instances": 3}', b'{"inputs": {"a": [1]}}', b"[" * 100_000],
    ids=lambda body: repr(body[:30]),
)
def test_other_bodies_are_passed_over(tmp_path: Path, body: bytes) -> None:
    with FakeServer({1: Behaviour()}, {1}, {"stable": 1}) as server:
        log = GatewayLog(_watched(tmp_path, server), tmp_path / "requests.jsonl")
        log.labels, log.share = {"stable": 1}, 100
        log.copied(Copy("a", "stable", {}, body))
        log.close()
    assert _rows(tmp_path) == []


def test_it_goes_on_where_another_ended(tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    line = LINE
    requests.write_text(line % ("before", "0"))
    odd = line.replace('"label"', '"path":"/\udcff","label"').encode(errors="surrogateescape")
    with FakeServer({1: Behaviour()}, {1}, {"stable": 1}) as server:
        watched = _watched(tmp_path, server)
        first = GatewayLog(watched, requests)
        first.labels = {"stable": 1}
        first.read_on()
        with requests.open("a") as file:
            file.write(line % ("a", "0") + line % ("b", "3") + "no JSON\n" + '{"half')
        first.read_on()
        first.close()
        second = GatewayLog(watched, requests)
        second.labels = {"stable": 1}
        second.read_on()
        with requests.open("ab") as file:
            file.write(b"\n" + odd % (b"c", b"14"))
        second.read_on()
        second.close()
    assert _counted(tmp_path) == {
        ("GRPC", "OK", 1): 1, ("GRPC", "INVALID_ARGUMENT", 1): 1, ("GRPC", "UNAVAILABLE", 1): 1
    }  # fmt: skip
    assert [row["request_id"] for row in _rows(tmp_path)] == ["b", "c"]
    assert _rows(tmp_path)[0]["latency_ms"] == 250.0


@pytest.mark.parametrize("longer", [False, True])
@pytest.mark.parametrize("by", ["copytruncate", "rename"])
def test_a_rotated_file_is_read_from_its_beginning(tmp_path: Path, by: str, longer: bool) -> None:
    requests = tmp_path / "requests.jsonl"
    requests.touch()
    with FakeServer({1: Behaviour()}, {1}, {"stable": 1}) as server:
        log = GatewayLog(_watched(tmp_path, server), requests)
        log.labels = {"stable": 1}
        log.read_on()
        requests.write_text("".join(LINE % (f"old-{n}", "0") for n in range(10)))
        log.read_on()
        if by == "rename":
            requests.rename(tmp_path / "requests.jsonl.1")
        requests.write_text("".join(LINE % (f"new-{n}", "3") for n in range(20 if longer else 4)))
        log.read_on()
        log.read_on()
        log.close()
    rows = [row["request_id"] for row in _rows(tmp_path)]
    assert rows == [f"new-{n}" for n in range(20 if longer else 4)]
    assert _counted(tmp_path)["GRPC", "OK", 1] == 10


def test_grpc_requests_that_ask_no_model_are_not_counted(tmp_path: Path) -> None:
    requests = tmp_path / "requests.jsonl"
    requests.touch()
    paths = ("ModelService/GetModelStatus", "PredictionService/GetModelMetadata")
    with FakeServer({1: Behaviour()}, {1}, {"stable": 1}) as server:
        log = GatewayLog(_watched(tmp_path, server), requests)
        log.labels = {"stable": 1}
        log.read_on()
        for path in (*paths, "PredictionService/Predict"):
            named = LINE.replace('"label"', f'"path":"/tensorflow.serving.{path}","label"')
            with requests.open("a") as file:
                file.write(named % (path, "0"))
        log.read_on()
        log.close()
    assert _counted(tmp_path) == {("GRPC", "OK", 1): 1}
