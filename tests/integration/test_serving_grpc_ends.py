"""How the gRPC server ends beside those who watch it, and what it says of a socket."""

import threading
import time
from pathlib import Path
from typing import Any

import grpc
import plain_models
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from models.errors import UsageError
from serving.inference.signature_call import SignatureCall
from serving.server.model_server import ModelServer
from serving.server.settings import GrpcSettings, ServerSettings


@pytest.fixture(scope="module")
def base_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("halves")
    plain_models.write_v2(base / "1")
    return base


def _settings(base_path: Path, port: int | None, **of_grpc: object) -> ServerSettings:
    grpc_settings = GrpcSettings(**of_grpc)  # type: ignore[arg-type]
    return ServerSettings("m", base_path, port=port, rest_api_port=None, grpc=grpc_settings)


def test_who_watches_the_health_is_told_of_the_end_and_does_not_hold_it_up(base_path: Path) -> None:
    server = ModelServer(_settings(base_path, 0, health_service=True))
    server.start()
    names = ("", "PredictionService", "no such service")
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        watches = [stub.Watch(health_pb2.HealthCheckRequest(service=name)) for name in names]
        said = [[next(watch).status] for watch in watches]
        began = time.monotonic()
        server.stop(drain_seconds=30)
        assert time.monotonic() - began < 15
        for watch, statuses in zip(watches, said, strict=True):
            statuses.extend(answer.status for answer in watch)
    serving, ended = (
        health_pb2.HealthCheckResponse.SERVING,
        health_pb2.HealthCheckResponse.NOT_SERVING,
    )
    unknown = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
    assert said == [[serving, ended], [serving, ended], [unknown, ended]]


def test_a_graph_that_never_ends_does_not_hold_the_end_up(base_path: Path) -> None:
    go_on = threading.Event()

    class Endless:
        def run(self, *_: object) -> list[Any]:
            assert go_on.wait(60)
            return []

    server = ModelServer(_settings(base_path, 0))
    server.start()
    server._runner.submit_call(SignatureCall(Endless(), {}, (), ()))  # type: ignore[arg-type]
    began = time.monotonic()
    server.stop(drain_seconds=0)
    assert time.monotonic() - began < 30
    go_on.set()


@pytest.mark.parametrize("port", [0, None])
@pytest.mark.parametrize("name", ["no folder/grpc", "a file", "x" * 120])
def test_a_socket_that_cannot_be_opened_is_told(
    base_path: Path, tmp_path: Path, port: int | None, name: str
) -> None:
    (tmp_path / "a file").write_text("kept")
    server = ModelServer(_settings(base_path, port, socket_path=tmp_path / name))
    with pytest.raises(UsageError, match=r"The Unix socket .* cannot be opened"):
        server.start()
    assert (tmp_path / "a file").read_text() == "kept"
