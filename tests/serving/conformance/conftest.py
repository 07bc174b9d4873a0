"""The server that the suite asks: any one that serves the models of `tests/plain_models.py`.

Without further ado it is `graft-model-server`, started here. To ask another one:

    python tests/plain_models.py /models
    tensorflow_model_server --port=8500 --rest_api_port=8501 \\
        --model_config_file=/models/models.config --monitoring_config_file=monitoring.config
    CONFORMANCE_GRPC=localhost:8500 CONFORMANCE_REST=localhost:8501 CONFORMANCE_MODELS=/models \\
        pytest tests/serving/conformance

`monitoring.config` says `prometheus_config { enable: true }`.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import plain_models
import pytest
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

ROOT = Path(__file__).parents[3]
START_SECONDS = 120.0


@dataclass(frozen=True)
class Server:
    """Where to ask, and where the server finds the models."""

    grpc: str
    rest: str
    models: Path

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Asks over REST; `body` is JSON unless it is bytes."""
        connection = http.client.HTTPConnection(self.rest, timeout=30)
        content = body if body is None or isinstance(body, bytes) else json.dumps(body)
        connection.request(method, path, content, headers or {})
        response = connection.getresponse()
        text = response.read().decode("utf-8")
        connection.close()
        return response.status, json.loads(text)


@dataclass
class Started:
    """A server process of the suite's own."""

    process: "subprocess.Popen[bytes]"
    folder: Path

    @property
    def socket(self) -> Path:
        return self.folder / "grpc.sock"

    @property
    def config(self) -> Path:
        return self.folder / "models.config"


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the models."""
    given = os.environ.get("CONFORMANCE_MODELS")
    if given:
        return Path(given)
    folder = tmp_path_factory.mktemp("models")
    plain_models.write_all(folder)
    return folder


@pytest.fixture(scope="session")
def started(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """`graft-model-server` with the flags that TensorFlow Serving's own test gives."""
    folder = tmp_path_factory.mktemp("server")
    text = (models / "models.config").read_text("utf-8")
    (folder / "models.config").write_text(text, encoding="utf-8")
    (folder / "monitoring.config").write_text("prometheus_config { enable: true }")
    flags = [
        f"--ports_file={folder / 'ports.json'}",
        "--rest_api_timeout_in_ms=5000",
        f"--grpc_socket_path={folder / 'grpc.sock'}",
        f"--model_config_file={folder / 'models.config'}",
        "--model_config_file_poll_wait_seconds=0.1",
        f"--monitoring_config_file={folder / 'monitoring.config'}",
        "--grpc_channel_arguments=grpc.max_connection_age_ms=2000,grpc.lb_policy_name=grpclb",
    ]
    process = subprocess.Popen([sys.executable, "-m", "serving", *flags], cwd=ROOT)
    deadline = time.monotonic() + START_SECONDS
    while not (folder / "ports.json").exists():
        assert process.poll() is None, "the server has ended"
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.05)
    yield Started(process, folder)
    process.kill()
    process.wait()


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, models: Path) -> Server:
    """The server to ask."""
    given = os.environ.get("CONFORMANCE_GRPC"), os.environ.get("CONFORMANCE_REST")
    if given[0] and given[1]:
        return Server(given[0], given[1], models)
    started = request.getfixturevalue("started")
    ports = json.loads((started.folder / "ports.json").read_text("utf-8"))
    return Server(f"127.0.0.1:{ports['grpc']}", f"127.0.0.1:{ports['rest']}", models)


@pytest.fixture(scope="session")
def own(request: pytest.FixtureRequest) -> Started:
    """The suite's own server; a test of a process is left out where another one is asked."""
    if "CONFORMANCE_GRPC" in os.environ:
        pytest.skip("asks the server that the suite starts")
    started = request.getfixturevalue("started")
    assert isinstance(started, Started)
    return started


@pytest.fixture(scope="session")
def channel(server: Server) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(server.grpc) as opened:
        yield opened


@pytest.fixture(scope="session")
def prediction(channel: grpc.Channel) -> Any:
    """A stub of `PredictionService`."""
    return prediction_service_pb2_grpc.PredictionServiceStub(channel)


@pytest.fixture(scope="session")
def model_service(channel: grpc.Channel) -> Any:
    """A stub of `ModelService`."""
    return model_service_pb2_grpc.ModelServiceStub(channel)
