"""Copied gRPC requests, made by the official messages, as JSON."""

import gzip
import http.client
import json
import queue
import zlib
from base64 import b64decode
from collections.abc import Callable
from contextlib import closing

import numpy as np
import pytest
import tensorflow as tf
from fake_model_server import Behaviour, FakeServer
from hypothesis import given, strategies as st
from tensorflow_serving.apis import predict_pb2

from serving.gateway.settings import CANARY, STABLE
from serving.rollout.copies import Copies
from serving.rollout.gateway_log import Copy
from serving.rollout.grpc_copies import as_rest
from serving.rollout.judge import Answer

IMAGES = [b"one", bytes(300), b""]


def _request(images: object = None) -> predict_pb2.PredictRequest:
    request = predict_pb2.PredictRequest(output_filter=["probabilities"])
    request.model_spec.name = "m"
    values = IMAGES if images is None else images
    request.inputs["image_bytes"].CopyFrom(tf.make_tensor_proto(values))
    return request


def _framed(message: bytes) -> bytes:
    return b"\0" + len(message).to_bytes(4, "big") + message


def _said(request: predict_pb2.PredictRequest) -> bytes | None:
    return as_rest(_framed(request.SerializeToString()), "m")


@pytest.mark.parametrize("signature", ["", "monitored"])
def test_images_become_json(signature: str) -> None:
    request = _request()
    request.model_spec.signature_name = signature
    said = _said(request)
    assert said is not None
    document = json.loads(said)
    images = document["inputs"]["image_bytes"]
    assert [b64decode(image["b64"]) for image in images] == IMAGES
    assert document["signature_name"] == signature


def test_what_cannot_be_said_is_left_out() -> None:
    named, labelled, other = _request(), _request(), _request()
    named.model_spec.version.value = 3
    labelled.model_spec.version_label = "stable"
    other.model_spec.name = "n"
    nobody = predict_pb2.PredictRequest(inputs=_request().inputs)
    numbers, matrix = _request(np.zeros(3)), _request([[b"a"], [b"b"]])
    repeated = _request([b"a"])
    repeated.inputs["image_bytes"].tensor_shape.dim[0].size = 5
    for request in (named, labelled, other, nobody, numbers, matrix, repeated):
        assert _said(request) is None
    assert as_rest(b"\1" + _framed(_request().SerializeToString())[1:], "m") is None
    assert as_rest(b"\2" + _framed(_request().SerializeToString())[1:], "m") is None


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress])
def test_compressed_messages_are_read(pack: Callable[[bytes], bytes]) -> None:
    message = _request().SerializeToString()
    assert as_rest(b"\1" + _framed(pack(message))[1:], "m") == _said(_request())
    assert as_rest(b"\1" + _framed(pack(message)[:-3])[1:], "m") is None
    assert as_rest(b"\1" + _framed(pack(bytes(2**24)))[1:], "m") is None


@given(st.binary(max_size=200))
def test_anything_may_come(content: bytes) -> None:
    assert as_rest(content, "m") is None
    assert as_rest(_framed(content), "m") in (None, b'{"signature_name": "", "inputs": {}}')


@pytest.mark.parametrize("entry", [b"", b"\x0a\x01a", b"\x12\x00"])
def test_an_input_may_lack_its_name_or_its_values(entry: bytes) -> None:
    assert as_rest(_framed(b"\x12" + bytes([len(entry)]) + entry), "m") is None


def test_a_request_may_end_anywhere() -> None:
    message = _request().SerializeToString()
    for end in range(len(message)):
        as_rest(_framed(message[:end]), "m")


def test_both_versions_are_asked_over_rest() -> None:
    pairs: queue.Queue[tuple[Answer | None, Answer | None]] = queue.Queue()
    versions = {1: Behaviour(), 2: Behaviour("dog")}
    with FakeServer(versions, {1, 2}, {"stable": 1, "canary": 2}) as server:
        servers = {STABLE: server.address, CANARY: server.address}
        copies = Copies("m", servers, lambda *pair: pairs.put(pair))
        with closing(http.client.HTTPConnection(copies.address)) as nginx:
            for content in (b"no message", _request().SerializeToString()):
                nginx.request("POST", "/copy", _framed(content), {"X-Verb": "grpc"})
                assert nginx.getresponse().status == 204
                nginx.close()
        assert pairs.get(timeout=60) == (Answer("cat", 0.97), Answer("dog", 0.97))
        assert json.loads(server.seen[0][2])["inputs"]["image_bytes"][1]["b64"] == "A" * 400
        copies.close()


def test_a_compressed_copy_is_looked_at_like_another() -> None:
    seen: queue.Queue[Copy] = queue.Queue()
    copies = Copies("m", {}, lambda *_: None, logged=seen.put)
    copies.comparing = False
    bodies = (gzip.compress(bytes(2**24)), b"no gzip", gzip.compress(b"an image"))
    with closing(http.client.HTTPConnection(copies.address)) as nginx:
        for body in bodies:
            headers = {"X-Verb": "predict", "Content-Encoding": "gzip", "Content-Type": "a/b"}
            nginx.request("POST", "/copy", body, headers)
            assert nginx.getresponse().status == 204
            nginx.close()
    copy = seen.get(timeout=60)
    assert (copy.body, copy.headers) == (b"an image", {"Content-Type": "a/b"})
    assert seen.empty()
    copies.close()


def test_no_copy_keeps_the_next_one_from_being_looked_at() -> None:
    seen: queue.Queue[bytes] = queue.Queue()

    def logged(copy: Copy) -> None:
        if copy.body == b"bad":
            raise OSError("no space left on the disk")
        seen.put(copy.body)

    copies = Copies("m", {}, lambda *_: None, logged=logged)
    copies.comparing = False
    most = 8 * 2**20
    with closing(http.client.HTTPConnection(copies.address)) as nginx:
        for body in (b"bad", b"x" * (most + 1), b"y" * most):
            nginx.request("POST", "/copy", body, {"X-Verb": "predict"})
            assert nginx.getresponse().status == 204
            nginx.close()
    assert len(seen.get(timeout=60)) == most
    assert seen.empty()
    copies.close()
