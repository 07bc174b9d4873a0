"""A model server without a model: the official API's status, labels, reload and predict, at once.

Each version answers as its `Behaviour` says, so that a test of the gateway needs no TensorFlow.
"""

import base64
import io
import json
import re
import threading
import time
from concurrent import futures
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from google.protobuf import wrappers_pb2
from PIL import Image
from tensorflow_serving.config import model_server_config_pb2

from serving.gateway.settings import Server

_PATH = re.compile(r"/v1/models/m(?:/labels/(\w+)|/versions/(\d+))?(:predict|/metadata)?")


EMBEDDING = [0.5, 0.25, -1.0, 0.0, 1.0, 2.0]
SIGNALS = [0.5, 0.2, 0.1, 0.3, -0.1]
HEAT = [[0.0, 0.5], [0.0, 0.0]]
"""Of an explanation: the upper right quarter alone speaks for the class."""


def _white_square() -> str:
    file = io.BytesIO()
    Image.new("RGB", (32, 32), "white").save(file, "JPEG")
    return base64.b64encode(file.getvalue()).decode()


@dataclass
class Behaviour:
    """What a version answers.

    Attributes:
        label: its class for every image.
        status: of its answers.
        seconds: until it answers.
        loads: whether it can be loaded.
        further: its label in each further label column.
    """

    label: str = "cat"
    status: int = 200
    seconds: float = 0.0
    loads: bool = True
    further: dict[str, str] = field(default_factory=dict)


@dataclass
class FakeServer:
    """Serves model `m` on free ports.

    Attributes:
        behaviours: by version.
        versions: that are loaded.
        labels: to version.
        seen: path, headers and body of each request, the oldest first.
        reloads: how often the configuration came.
        failed: versions that do not load.
        answers_late: seconds by which it answers late that it has the configuration.
    """

    behaviours: dict[int, Behaviour]
    versions: set[int]
    labels: dict[str, int] = field(default_factory=dict)
    seen: list[tuple[str, dict[str, str], bytes]] = field(default_factory=list)
    reloads: int = 0
    failed: set[int] = field(default_factory=set)
    answers_late: float = 0.0

    def __enter__(self) -> "FakeServer":
        fake = self

        class Handler(_Handler):
            server_state = fake

        self._rest = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._rest.daemon_threads = True
        threading.Thread(target=self._rest.serve_forever, args=(0.02,), daemon=True).start()
        self._grpc = grpc.server(futures.ThreadPoolExecutor(4))
        self._grpc.add_generic_rpc_handlers((_Methods(self),))
        port = self._grpc.add_insecure_port("127.0.0.1:0")
        self._grpc.start()
        self.address = Server(f"127.0.0.1:{self._rest.server_port}", f"127.0.0.1:{port}")
        return self

    def __exit__(self, *_: object) -> None:
        self._rest.shutdown()
        self._rest.server_close()
        self._grpc.stop(0)

    def reload(self, request: wrappers_pb2.BytesValue, context: Any) -> wrappers_pb2.BytesValue:
        """HandleReloadConfigRequest: labels go to loaded versions alone."""
        self.reloads += 1
        config = model_server_config_pb2.ModelServerConfig.FromString(request.value)
        (model,) = config.model_config_list.config
        labels = dict(model.version_labels)
        asked = set(model.model_version_policy.specific.versions)
        if not set(labels.values()) <= self.versions:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not currently available")
        self.versions = {version for version in asked if self.behaviours[version].loads}
        self.failed = asked - self.versions
        self.labels = labels
        time.sleep(self.answers_late)
        return wrappers_pb2.BytesValue()

    def answer(self, method: str, path: str, body: bytes) -> tuple[int, Any]:
        """Status and JSON."""
        match = _PATH.fullmatch(path)
        if match is None:
            return 400, {"error": f"Malformed request: {method} {path}"}
        label, number, what = match.groups()
        if what is None:
            return 200, {"model_version_status": self._statuses()}
        version = self.labels.get(label) if label else int(number or max(self.versions))
        if version not in self.versions:
            return 400, {"error": f"Unrecognized servable version label: {label}"}
        if what == "/metadata":
            return 200, {"model_spec": {"name": "m", "version": str(version)}}
        behaviour = self.behaviours[version]
        time.sleep(behaviour.seconds)
        outputs: dict[str, Any] = {"labels": [[behaviour.label, "other"]], "class_ids": [[0, 1]]}
        outputs |= {"embedding": [EMBEDDING], "image_signals": [SIGNALS]}
        for column, said in behaviour.further.items():
            told = {"labels": [["x", said]], "class_ids": [[1, 0]], "probabilities": [[0.4, 0.6]]}
            outputs |= {f"{column}/{name}": value for name, value in told.items()}
        if json.loads(body).get("signature_name") == "explained":
            outputs |= {"heat": [HEAT], "seen_bytes": [{"b64": _white_square()}]}
        answer = {"outputs": {**outputs, "probabilities": [[0.97, 0.03]]}, "version": version}
        return behaviour.status, answer if behaviour.status == 200 else {"error": "made"}

    def _statuses(self) -> list[dict[str, Any]]:
        return [
            {"version": str(v), "state": "AVAILABLE", "status": {"error_message": ""}}
            for v in self.versions
        ] + [
            {"version": str(v), "state": "END", "status": {"error_message": "made to fail"}}
            for v in self.failed
        ]


class _Handler(BaseHTTPRequestHandler):
    server_state: FakeServer
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server_state.seen.append((self.path, dict(self.headers), body))
        status, document = self.server_state.answer(self.command, self.path, body)
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    do_GET = do_POST  # noqa: N815 (the base's name)

    def log_message(self, *_: object) -> None:
        pass


class _Methods(grpc.GenericRpcHandler):
    def __init__(self, server: FakeServer) -> None:
        self._server = server

    def service(self, details: Any) -> Any:
        if details.method.endswith("/HandleReloadConfigRequest"):
            return grpc.unary_unary_rpc_method_handler(
                self._server.reload,
                request_deserializer=wrappers_pb2.BytesValue.FromString,
                response_serializer=wrappers_pb2.BytesValue.SerializeToString,
            )
        if details.method.startswith("/tensorflow.serving.PredictionService/"):
            return grpc.unary_unary_rpc_method_handler(
                lambda request, _: request + str(max(self._server.versions)).encode()
            )
        return None
