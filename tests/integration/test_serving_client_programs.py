"""What common client programs do that a server must bear, though few tests send it."""

import http.client
import json
import re
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import plain_models
import pytest
from raw_http import connect, post, read_answer
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from serving.server.model_server import ModelServer
from serving.server.settings import ServerSettings
from serving.tensors.tensor_protos import to_proto

PREDICT = "/v1/models/m:predict"
ASKS_FOR_HTTP_2 = (
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA",
)


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        return False
    return True


IPV6 = _has_ipv6()


@pytest.fixture(scope="module")
def base_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("halves")
    plain_models.write_v2(base / "1")
    return base


@pytest.fixture(scope="module")
def server(base_path: Path) -> Iterator[ModelServer]:
    with ModelServer(ServerSettings("m", base_path, port=0, rest_api_port=0)) as running:
        yield running


@pytest.fixture(scope="module")
def port(server: ModelServer) -> int:
    assert server.rest_port is not None
    return server.rest_port


def _request() -> Any:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    request.inputs["x"].CopyFrom(to_proto(np.ones((1, 1), np.float32)))
    return request


@pytest.mark.parametrize("pieces", [1, 2, 40])
@pytest.mark.parametrize("body", ["known length", "chunks"])
def test_a_request_that_asks_for_http_2_is_answered_by_http_1(
    port: int, pieces: int, body: str
) -> None:
    """Java's client asks so with its first request, and `curl --http2` too."""
    content = json.dumps({"instances": [[1.0], [2.0]] * 500}).encode()
    request = post(PREDICT, content, *ASKS_FOR_HTTP_2)
    if body == "chunks":
        head = post(PREDICT, b"", *ASKS_FOR_HTTP_2, "Transfer-Encoding: chunked")
        head = head.replace(b"Content-Length: 0\r\n", b"")
        request = head + b"%x\r\n%b\r\n0\r\n\r\n" % (len(content), content)
    step = -(-len(request) // pieces)
    with closing(connect(port)) as client:
        for begin in range(0, len(request), step):
            client.sendall(request[begin : begin + step])
        first = read_answer(client)
        client.sendall(post(PREDICT, b'{"instances": [[4.0]]}'))
        second = read_answer(client)
    assert first is not None
    assert first.status == 200
    assert json.loads(first.body)["predictions"] == [[2.5], [3.0]] * 500
    assert second is not None
    assert json.loads(second.body)["predictions"] == [[4.0]]


def test_what_is_sent_ahead_of_the_answers_may_ask_for_http_2_too(port: int) -> None:
    ahead = [post(PREDICT, b'{"instances": [[4.0]]}', *ASKS_FOR_HTTP_2)] * 3
    last = post(PREDICT, b"{}", "Connection: close")
    received = b""
    with closing(connect(port)) as client:
        client.sendall(b"".join([*ahead, last]))
        while part := client.recv(65536):
            received += part
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"200"] * 3 + [b"400"]


def test_a_tunnel_is_refused(port: int) -> None:
    asked = "\r\n".join(["CONNECT a:443 HTTP/1.1", "Host: a", *ASKS_FOR_HTTP_2, "", ""]).encode()
    with closing(connect(port)) as client:
        client.sendall(asked)
        answer = read_answer(client)
    assert answer is not None
    assert answer.status == 400


def test_a_channel_may_have_many_more_calls_than_run_at_a_time(server: ModelServer) -> None:
    for _ in range(3):
        with grpc.insecure_channel(f"127.0.0.1:{server.grpc_port}") as channel:
            predict = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict
            calls = [predict.future(_request(), timeout=60) for _ in range(900)]
            assert {call.code() for call in calls} == {grpc.StatusCode.OK}


@pytest.mark.skipif(not IPV6, reason="this machine has no IPv6")
@pytest.mark.parametrize("host", ["::1", "::"])
def test_both_apis_answer_over_ipv6(base_path: Path, host: str) -> None:
    settings = ServerSettings("m", base_path, host=host, port=0, rest_api_port=0)
    with ModelServer(settings) as server:
        connection = http.client.HTTPConnection("::1", server.rest_port or 0, timeout=30)
        with closing(connection):
            connection.request("GET", "/readyz")
            assert connection.getresponse().status == 200
        with grpc.insecure_channel(f"[::1]:{server.grpc_port}") as channel:
            answer = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(_request())
    assert answer.model_spec.version.value == 1
