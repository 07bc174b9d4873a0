"""What a server logs of its requests, over both protocols."""

import base64
import hashlib
import json
import shutil
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from monitored_model import add_reference, export_monitored, monitored_answers
from serving_requests import request_json, server_settings
from small_reference import COMPONENTS, LABELS, TEMPERATURE
from tensorflow_serving.apis import predict_pb2

from models.observation.kept_images import kept_image
from models.observation.log_entry import Counts
from models.observation.reference import REFERENCE, Reference
from models.observation.request_log_files import log_files
from serving.client import predict_grpc, predict_rest
from serving.request_log.settings import RequestLogSettings
from serving.servables.registry import Target
from serving.server.model_server import ModelServer
from serving.tensors.tensor_protos import to_proto


@dataclass(frozen=True)
class Model:
    """An exported version and its reference."""

    directory: Path
    reference: Reference


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    directory = tmp_path_factory.mktemp("base") / "3"
    export_monitored(directory)
    return Model(directory, add_reference(directory))


class Logged:
    """A server and its log, of which only what is new is looked at."""

    def __init__(self, base_path: Path, folder: Path, **asked: Any) -> None:
        log = RequestLogSettings(folder, **asked)
        settings = replace(server_settings(base_path), request_log=log, warm_ups=0)
        self.server = ModelServer(settings)
        self.server.start()
        self.folder = folder
        self.url = f"http://127.0.0.1:{self.server.rest_port}"
        self.target = f"127.0.0.1:{self.server.grpc_port}"
        self._looked_at = 0

    def rows(self) -> list[dict[str, Any]]:
        found = [
            row
            for file in log_files(self.folder)
            for batch in file.batches()
            for row in batch.to_pylist()
        ][self._looked_at :]
        self._looked_at += len(found)
        return found

    def counts(self) -> Counts:
        counts = Counts()
        for file in log_files(self.folder):
            counts.update(file.counts())
        return counts


@pytest.fixture(scope="module")
def logged(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    """A server of a model with its reference."""
    running = Logged(model.directory.parent, tmp_path_factory.mktemp("log"))
    yield running
    running.server.stop()


@pytest.fixture
def start(small_models: tuple[Path, Path], tmp_path: Path) -> Iterator[Any]:
    """Starts servers, of another tool's model unless told."""
    running: list[ModelServer] = []

    def start_server(base_path: Path | None = None, **asked: Any) -> Logged:
        if base_path is None:
            base_path = tmp_path / "base"
            shutil.copytree(small_models[0], base_path / "3")
        another = Logged(base_path, tmp_path / "log", **asked)
        running.append(another.server)
        return another

    yield start_server
    for server in running:
        server.stop()


def _raw(server: ModelServer, content: bytes) -> bytes:
    assert server.rest_port is not None
    with socket.create_connection(("127.0.0.1", server.rest_port), timeout=30) as connection:
        connection.sendall(content)
        return connection.recv(100)


def _instances(images: list[bytes], **more: Any) -> bytes:
    encoded = [{"b64": base64.b64encode(image).decode()} for image in images]
    return json.dumps({"instances": encoded} | more).encode()


def test_both_protocols_log_what_was_answered_and_more(
    logged: Logged, model: Model, pictures: list[bytes]
) -> None:
    rest = predict_rest(logged.url, "m", pictures)
    asked = predict_grpc(logged.target, "m", pictures)
    truth = monitored_answers(model.directory, pictures)
    rows = logged.rows()
    assert [(row["protocol"], row["row"]) for row in rows] == [
        *(("REST", n) for n in range(3)), *(("GRPC", n) for n in range(3))
    ]  # fmt: skip
    expected = model.reference.project(truth["embedding"])
    for answer, part in ((rest, rows[:3]), (asked, rows[3:])):
        for n, row in enumerate(part):
            assert row["digest"] == hashlib.sha256(pictures[n]).hexdigest()
            assert row["class_ids"] == truth["class_ids"][n].tolist()
            assert tuple(LABELS[c] for c in row["class_ids"]) == answer.labels[n]
            np.testing.assert_allclose(
                row["probabilities"], np.sort(truth["probabilities"][n])[::-1], rtol=1e-5
            )
            np.testing.assert_allclose(row["signals"], truth["image_signals"][n], atol=1e-5)
            np.testing.assert_allclose(row["projection"], expected[n], atol=1e-2)
            calibrated = truth["probabilities"][n] ** (1 / TEMPERATURE)
            assert row["confidence"] == pytest.approx(max(calibrated) / sum(calibrated), rel=1e-4)
            p = truth["probabilities"][n]
            assert row["entropy"] == pytest.approx(-(p * np.log(p)).sum(), rel=1e-4)
            assert (row["model"], row["version"], row["status"]) == ("m", 3, "OK")
            assert (row["weight"], row["asked_label"]) == (1.0, "")


def test_a_client_is_answered_what_it_asked_for_alone(
    logged: Logged, model: Model, pictures: list[bytes]
) -> None:
    path = "/v1/models/m:predict"
    default = {"probabilities", "class_ids", "labels"}
    _, answer = request_json(logged.server, "POST", path, _instances(pictures))
    assert answer["predictions"][0].keys() == default
    body = _instances(pictures, signature_name="monitored")
    _, answer = request_json(logged.server, "POST", path, body)
    assert answer["predictions"][0].keys() == default | {"embedding", "image_signals"}
    request = _request(pictures)
    assert _grpc(logged.target, request).outputs.keys() == default
    request.output_filter.append("labels")
    assert list(_grpc(logged.target, request).outputs) == ["labels"]
    rows = logged.rows()
    assert [len(row["projection"]) for row in rows] == [COMPONENTS] * 12


def _request(images: list[bytes]) -> Any:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    request.inputs["image_bytes"].CopyFrom(to_proto(np.array(images, dtype=object)))
    return request


def _grpc(target: str, request: Any, **more: Any) -> Any:
    with grpc.insecure_channel(target) as channel:
        call = channel.unary_unary(
            "/tensorflow.serving.PredictionService/Predict",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=predict_pb2.PredictResponse.FromString,
        )
        return call(request, timeout=30, **more)


def test_an_embedding_costs_no_second_run(
    logged: Logged, pictures: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = []
    with logged.server.registry.lease(Target("m")) as lease:
        run = lease.model.run

        def counted(*arguments: Any) -> Any:
            runs.append(arguments)
            return run(*arguments)

        monkeypatch.setattr(lease.model, "run", counted)
        predict_rest(logged.url, "m", pictures[:1])
    assert len(runs) == 1
    assert logged.rows()[0]["projection"] is not None


def test_every_status_of_both_protocols_is_logged(start: Any, pictures: list[bytes]) -> None:
    logged = start(sample_rate=0.0)
    path = "/v1/models/m:predict"
    assert request_json(logged.server, "POST", path, _instances([b"no image"]))[0] == 400
    assert request_json(logged.server, "POST", path, b"{")[0] == 400
    assert request_json(logged.server, "POST", "/v1/models/none:predict", b"{}")[0] == 404
    assert request_json(logged.server, "POST", "/v1/models/m:prodict", b"{}")[0] == 400
    label = "/v1/models/m/labels/gold:predict"
    assert request_json(logged.server, "POST", label, _instances(pictures))[0] == 400
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "nobody"
    with suppress(grpc.RpcError):
        _grpc(logged.target, request)
    with grpc.insecure_channel(logged.target) as channel, suppress(grpc.RpcError):
        channel.unary_unary("/tensorflow.serving.PredictionService/Predict")(b"\xff", timeout=30)
    assert b" 400 " in _raw(logged.server, b"this is no HTTP\r\n\r\n")
    large = b"POST /v1/models/m:predict HTTP/1.1\r\nX: " + b"x" * 70_000
    assert b" 431 " in _raw(logged.server, large)
    predict_rest(logged.url, "m", pictures)
    rows = logged.rows()
    assert [(row["protocol"], row["model"], row["status"]) for row in rows] == [
        ("REST", "m", "INVALID_ARGUMENT"),
        ("REST", "m", "INVALID_ARGUMENT"),
        ("REST", "none", "NOT_FOUND"),
        ("REST", "", "INVALID_ARGUMENT"),
        ("REST", "m", "INVALID_ARGUMENT"),
        ("GRPC", "nobody", "NOT_FOUND"),
        ("GRPC", "", "INVALID_ARGUMENT"),
        ("REST", "", "INVALID_ARGUMENT"),
        ("REST", "", "RESOURCE_EXHAUSTED"),
    ]
    first, *_, last = rows
    assert first["digest"] == hashlib.sha256(b"no image").hexdigest()
    assert (first["row"], first["version"], last["version"]) == (-1, 3, 0)
    assert rows[4]["asked_label"] == "gold"
    counts = logged.counts()
    assert sum(counts.requests.values()) == 10
    assert {key.status: n for key, n in counts.images.items() if n and key.status == "OK"} == {
        "OK": 3
    }


def test_a_sample_says_how_many_it_stands_for(start: Any, pictures: list[bytes]) -> None:
    logged = start(sample_rate=0.5)
    for _ in range(40):
        body = _instances(pictures[:1])
        assert request_json(logged.server, "POST", "/v1/models/m:predict", body)[0] == 200
    rows = logged.rows()
    assert 0 < len(rows) < 40
    assert {row["weight"] for row in rows} == {2.0}
    assert sum(logged.counts().requests.values()) == 40


@pytest.mark.parametrize("lacks", ["reference", "right reference", "signature"])
def test_models_without_a_reference_are_logged_without_an_embedding(
    start: Any, model: Model, small_models: Any, tmp_path: Path, pictures: list[bytes], lacks: str
) -> None:
    version = tmp_path / "other" / "8"
    shutil.copytree(small_models[0] if "signature" in lacks else model.directory, version)
    if lacks == "reference":
        (version / "assets.extra" / REFERENCE).unlink()
    elif lacks == "right reference":
        (version / "assets.extra" / REFERENCE).write_bytes(b"something else")
    logged = start(version.parent)
    answer = predict_rest(logged.url, "m", pictures)
    rows = logged.rows()
    assert len(rows) == 3
    for n, row in enumerate(rows):
        assert row["digest"] == hashlib.sha256(pictures[n]).hexdigest()
        assert tuple(LABELS[c] for c in row["class_ids"]) == answer.labels[n]
        assert row["projection"] is row["confidence"] is row["signals"] is None


def test_many_images_are_one_request(logged: Logged, pictures: list[bytes]) -> None:
    before = logged.counts()
    predict_rest(logged.url, "m", pictures * 30)
    rows = logged.rows()
    assert [row["row"] for row in rows] == list(range(90))
    assert len({row["request_id"] for row in rows}) == 1
    counts = logged.counts()
    assert sum(counts.requests.values()) == sum(before.requests.values()) + 1
    assert sum(counts.images.values()) == sum(before.images.values()) + 90


def test_a_request_has_the_id_that_it_was_given_or_a_new_one(
    logged: Logged, pictures: list[bytes]
) -> None:
    request_json(
        logged.server, "POST", "/v1/models/m:predict", _instances(pictures[:1]), x_request_id="a-1"
    )
    request = _request(pictures[:1])
    _grpc(logged.target, request, metadata=(("x-request-id", "b-2"),))
    _grpc(logged.target, request, metadata=(("x-request-id", "x" * 500),))
    _grpc(logged.target, request)
    ids = [row["request_id"] for row in logged.rows()]
    assert ids[:2] == ["a-1", "b-2"]
    assert len(set(ids)) == 4
    assert max(map(len, ids)) <= 128


def test_images_are_kept_where_that_is_asked_for(start: Any, pictures: list[bytes]) -> None:
    logged = start(keep_images=True)
    predict_rest(logged.url, "m", pictures)
    predict_rest(logged.url, "m", pictures)
    logged.server.stop()
    for row, picture in zip(logged.rows(), pictures * 2, strict=True):
        assert kept_image(logged.folder, row["digest"]) == picture
    assert kept_image(logged.folder, "../../etc/passwd") is None


def test_a_server_that_stops_leaves_parquet(start: Any, pictures: list[bytes]) -> None:
    logged = start()
    predict_rest(logged.url, "m", pictures)
    logged.server.stop()
    assert [path.suffix for path in logged.folder.iterdir()] == [".parquet"]
    assert len(logged.rows()) == 3


def test_metrics_say_what_was_written(start: Any, pictures: list[bytes]) -> None:
    logged = start(sample_rate=0.0)
    predict_rest(logged.url, "m", pictures)
    page = logged.server.metrics.page().decode()
    assert 'graft_request_log_entries_total{outcome="counted"} 1.0' in page
