"""The REST API over real sockets: HTTP, limits, and what a client does wrong."""

import http.client
import json
from base64 import b64encode
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
import tensorflow as tf
from raw_http import connect, exchange, post
from serving_requests import SMALL_LIMITS, request_json, server_settings

from serving.rest_api.options import RestOptions
from serving.rest_api.server import RestServer
from serving.servables.loader import LoadedModel
from serving.servables.registry import Registry
from serving.servables.version_manager import LoadOptions
from serving.server.model_server import ModelServer

PREDICT = "/v1/models/m:predict"


def _load_nothing(*_: object) -> LoadedModel:
    raise AssertionError


def test_a_connection_takes_one_request_after_the_other(port: int, body: bytes) -> None:
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as client:
        answers = []
        for _ in range(3):
            client.request("POST", PREDICT, body)
            answers.append(client.getresponse().read())
            client.request("GET", "/livez")
            assert client.getresponse().read() == b'{"status":"alive"}\n'
    assert len(set(answers)) == 1


def test_requests_may_be_sent_ahead_of_their_answers(port: int, body: bytes) -> None:
    with closing(connect(port)) as client:
        client.sendall(post(PREDICT, body) + b"GET /livez HTTP/1.1\r\n\r\n" + post(PREDICT, b"{"))
        received = b""
        while received.count(b"HTTP/1.1") < 3 or not received.endswith(b"}\n"):
            received += client.recv(65536)
    places = [received.index(part) for part in (b"predictions", b"alive", b"JSON Parse error")]
    assert places == sorted(places)


def test_a_body_may_come_in_chunks(port: int, body: bytes) -> None:
    head = f"POST {PREDICT} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    chunks = [
        b"%x\r\n%b\r\n" % (len(body[i : i + 50]), body[i : i + 50]) for i in range(0, 999, 50)
    ]
    whole = [chunk for chunk in chunks if not chunk.startswith(b"0")]
    answer = exchange(port, head, *whole, b"0\r\n\r\n")
    assert answer is not None
    assert (answer.status, b"predictions" in answer.body) == (200, True)


def test_a_body_is_asked_for_only_if_it_is_wanted(port: int, body: bytes) -> None:
    for path, expected in (
        (PREDICT, b"HTTP/1.1 100 Continue"),
        (PREDICT.replace("m:", "x:"), b"404"),
    ):
        with closing(connect(port)) as client:
            client.sendall(post(path, b"", "Expect: 100-continue", length=len(body)))
            assert expected in client.recv(65536).partition(b"\r\n")[0]


def test_head_and_options(port: int) -> None:
    with closing(connect(port)) as client:
        client.sendall(b"HEAD /livez HTTP/1.0\r\n\r\n")
        received = b"".join(iter(lambda: client.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    assert received.endswith(b"\r\n\r\n")
    allowed = exchange(port, f"OPTIONS {PREDICT} HTTP/1.1\r\nOrigin: http://a\r\n\r\n".encode())
    assert allowed is not None
    assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (200, "*")
    asked = f"OPTIONS {PREDICT} HTTP/1.1\r\nOrigin: http://a\r\n"
    asked += "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-a\r\n\r\n"
    allowed = exchange(port, asked.encode())
    assert allowed is not None
    assert allowed.headers["access-control-allow-headers"] == "x-a"
    answered = exchange(port, post(PREDICT, b"{}", "Origin: http://a"))
    assert answered is not None
    # Who labels an image later names its request, so that a page must be able to read the id.
    assert answered.headers["access-control-expose-headers"] == "x-request-id"
    refused = exchange(port, f"OPTIONS {PREDICT} HTTP/1.1\r\n\r\n".encode())
    assert refused is not None
    assert refused.status == 400


def test_health(server: ModelServer) -> None:
    assert request_json(server, "GET", "/livez") == (200, {"status": "alive"})
    assert request_json(server, "GET", "/readyz") == (200, {"status": "ready"})
    draining = Registry(_load_nothing, LoadOptions())
    draining.drain()
    rest = RestServer(draining, server._runner, SMALL_LIMITS, ("127.0.0.1", 0))
    rest.start()
    answer = exchange(rest.port, b"GET /readyz HTTP/1.1\r\n\r\n")
    rest.drain(30)
    assert answer is not None
    assert answer.status == 503


def test_the_page_of_metrics(another: Callable[..., RestServer]) -> None:
    rest = another(SMALL_LIMITS, RestOptions(metrics_path="/page"))
    answer = exchange(rest.port, b"GET /page HTTP/1.1\r\n\r\n")
    assert answer is not None
    assert answer.status == 200
    assert b"# TYPE :tensorflow:serving:request_count counter\n" in answer.body
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("length", ["4000000000", "1000000000000", "1048577"])
def test_a_large_body_is_refused_before_it_comes(port: int, length: str) -> None:
    answer = exchange(port, post(PREDICT, b"", length=int(length)))
    assert answer is not None
    assert answer.status == 413
    assert answer.headers["connection"] == "close"
    assert json.loads(answer.body)["error"].startswith("The body has more than 1048576 bytes")


def test_who_sends_too_much_still_reads_why(port: int) -> None:
    head = post(PREDICT, b"", length=100 * 2**20)
    answer = exchange(port, head, *[b" " * 2**16] * 100)
    assert answer is not None
    assert answer.status == 413


def test_chunks_without_end_are_refused(port: int) -> None:
    head = f"POST {PREDICT} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    for chunk in (b"10000\r\n" + b" " * 2**16 + b"\r\n", b"1;" + b"x" * 2**16 + b"\r\n \r\n"):
        answer = exchange(port, head, *[chunk] * 100)
        assert answer is None or answer.status == 413
    trailers = exchange(port, head, b"0\r\n", *[b"a: " + b"x" * 1000 + b"\r\n"] * 200)
    assert trailers is not None
    assert trailers.status == 431


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: -1"],
        ["Content-Length: 1e3"],
        ["Content-Length: 0x10"],
        ["Content-Length: "],
        ["Content-Length: 1, 2"],
        ["Content-Length: 1", "Content-Length: 2"],
        ["Content-Length: 99999999999999999999999999"],
        ["Content-Length: 4", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: chunked", "Transfer-Encoding: identity"],
        ["Transfer-Encoding : chunked"],
        ["Transfer-Encoding: chunked, gzip"],
        ["Transfer-Encoding: gzip, chunked"],
        ["Transfer-Encoding: \x0bchunked"],
        ["Transfer-Encoding: xchunked"],
        ["Content-Length: 4", " folded: line"],
        ["X: a\x00b"],
        ["no colon"],
        [f"X: {'x' * 70_000}"],
        ["Content-Encoding: br"],
    ],
)
def test_strange_headers_are_refused(port: int, headers: list[str]) -> None:
    lines = [f"POST {PREDICT} HTTP/1.1", "Host: a", *headers, "", ""]
    answer = exchange(port, "\r\n".join(lines).encode("latin-1"), b"0\r\n\r\n")
    assert answer is not None
    assert answer.status in (400, 413, 415, 431, 501)
    assert answer.headers["content-type"] == "application/json"
    assert list(json.loads(answer.body)) == ["error"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/models/../../etc/passwd",
        "/v1/models/%2e%2e%2f%2e%2e%2fetc%2fpasswd:predict",
        "/v1/models/m%00:predict",
        "/v1/models/%ff%fe:predict",
        "/v1/models/%:predict",
        "/v1/models/%zz:predict",
        "/v1/models/m/versions/-1:predict",
        "/v1/models/m/versions/99999999999999999999:predict",
        f"/v1/models/m/versions/{'9' * 5000}:predict",
        f"/v1/models/{'x' * 9000}:predict",
        "/v1/models/m/labels/%2e%2e:predict",
        "//v1/models/m:predict",
        "/V1/MODELS/M:PREDICT",
        "/v1/models/m:predict/",
        "/v1/models/m:predict%3f",
        "http://a/v1/models/x:predict",
        "*",
        "v1/models/m:predict",
        "/v1/models/\xe9:predict",
    ],
)
def test_strange_paths_are_refused(port: int, path: str) -> None:
    request = f"POST {path} HTTP/1.1\r\nContent-Length: 2\r\n\r\n{{}}".encode("latin-1")
    answer = exchange(port, request)
    assert answer is not None
    assert answer.status in (400, 404)
    assert len(answer.body) < 20_000


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b'{"instances": ' + b"[" * 900 + b"1" + b"]" * 900 + b"}", 400),
        (b'{"instances": [' + b"9" * 5000 + b"]}", 400),
        (b'{"instances": [NaN, Infinity]}', 400),
        (b'{"instances": ["\\ud800"]}', 400),
        (b'{"instances": [{"b64": "?"}]}', 400),
        (b'{"instances": [{"b64": 1}]}', 400),
        (b'{"instances": ["a"], "instances": ["b"]}', 400),
        (b'{"instances": [' + b'"",' * 60 + b'""]}', 400),
        (b'{"instances": [' + b"{}," * 300_000 + b"{}]}", 400),
        (b'{"instances": [' + b"[]," * 300_000 + b"[]]}", 400),
        (b'{"inputs": [' + b"1," * 200_000 + b"1]}", 400),
        (b'{"inputs": []}', 200),
        (b'{"inputs": "no image"}', 400),
        (b'{"signature_name": "x\\u0000", "inputs": []}', 400),
        (b" " * 2**20, 400),
        (b"null", 400),
    ],
)
def test_hostile_json_is_answered(port: int, body: bytes, status: int) -> None:
    answer = exchange(port, post(PREDICT, body))
    assert answer is not None
    assert answer.status == status, answer.body[:300]


def test_a_bad_image_is_named(server: ModelServer, pictures: list[bytes]) -> None:
    images = [pictures[index % 3] for index in range(7)]
    images[5] = b"no image"
    encoded = [{"b64": b64encode(image).decode()} for image in images]
    for document in ({"instances": encoded}, {"inputs": encoded}):
        status, answer = request_json(server, "POST", PREDICT, json.dumps(document).encode())
        assert status == 400
        assert answer["error"].startswith("Instance 5 of the request: ")


def test_classify_and_regress(tmp_path: Path) -> None:
    module = tf.Module()
    features = {"x": tf.io.FixedLenFeature([], tf.float32)}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def classify(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        scores = tf.stack([tf.io.parse_example(inputs, features)["x"]] * 2, axis=1)
        return {"scores": scores, "classes": tf.where(scores > 0, "plus", "minus")}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, "inputs")])
    def regress(inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"outputs": tf.io.parse_example(inputs, features)["x"] * 2}

    tf.saved_model.save(
        module, str(tmp_path / "1"), {"serving_default": classify, "double": regress}
    )
    settings = replace(server_settings(tmp_path), port=None)
    body = json.dumps({"examples": [{"x": 0.5}, {"x": [-1.5]}]}).encode()
    doubled = json.dumps({"signature_name": "double", "context": {"x": 1.5}, "examples": [{}]})
    empty = b'{"signature_name": "double", "examples": []}'
    with ModelServer(settings) as examples:
        _, classified = request_json(examples, "POST", "/v1/models/m:classify", body)
        _, regressed = request_json(examples, "POST", "/v1/models/m:regress", doubled.encode())
        status, refused = request_json(examples, "POST", "/v1/models/m:regress", empty)
    plus, minus = ["plus", 0.5], ["minus", -1.5]
    assert classified == {"results": [[plus, plus], [minus, minus]]}
    assert regressed == {"results": [3.0]}
    assert (status, "'examples'" in refused["error"]) == (400, True)
