"""Hostile requests over gRPC: each gets its status, and the good ones between them an answer."""

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from strange_protos import predict_requests
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import predict_pb2

from serving.server_process import ServerProcess
from serving.tensors.tensor_protos import to_proto

PREDICT = "/tensorflow.serving.PredictionService/Predict"
RECEIVE_SECONDS = 3
MEGABYTE = 2**20
ALLOWED_GROWTH = 512 * MEGABYTE
"""What the server may take beyond what it had after its first answers."""


class Target:
    """A server in a process of its own, and what a good client sees of it."""

    def __init__(self, address: str, pid: int, image: bytes) -> None:
        self.address = address
        self.pid = pid
        self.image = image
        self.channel = grpc.insecure_channel(address, [("grpc.max_send_message_length", -1)])
        self._predict = self.channel.unary_unary(PREDICT)
        for _ in range(5):
            self.assert_good()
        self.begin = self.memory()

    def send(self, content: bytes, timeout: float | None = 60) -> str:
        """Sends the bytes of a request; returns the name of the status."""
        try:
            self._predict(content, timeout=timeout)
        except grpc.RpcError as error:
            return error.code().name
        return "OK"

    def assert_good(self) -> None:
        content = request([self.image]).SerializeToString()
        answer = predict_pb2.PredictResponse.FromString(self._predict(content, timeout=60))
        assert answer.outputs["probabilities"].tensor_shape.dim[0].size == 1

    def memory(self) -> int:
        """Bytes that the server has held at most."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))

    def assert_modest(self) -> None:
        assert self.memory() - self.begin < ALLOWED_GROWTH


def request(images: list[bytes]) -> predict_pb2.PredictRequest:
    made = predict_pb2.PredictRequest()
    made.model_spec.name = "m"
    made.inputs["image_bytes"].CopyFrom(to_proto(np.array(images, dtype=object)))
    return made


def _declared(*sizes: int, dtype: int = types_pb2.DT_STRING) -> bytes:
    made = predict_pb2.PredictRequest()
    made.model_spec.name = "m"
    tensor = made.inputs["image_bytes"]
    tensor.dtype = dtype
    if dtype == types_pb2.DT_STRING:
        tensor.string_val.append(b"x" * 3000)
    for size in sizes:
        tensor.tensor_shape.dim.add(size=size)
    return made.SerializeToString()


def _many_names(count: int) -> bytes:
    made = request([b"x"])
    for number in range(count):
        made.inputs[f"{number:0>1000}"].dtype = types_pb2.DT_FLOAT
    return made.SerializeToString()


def _long_name() -> bytes:
    made = request([b"x"])
    made.model_spec.name = "é" * 100_000
    return made.SerializeToString()


@pytest.fixture(scope="module")
def target(
    small_models: tuple[Path, Path],
    pictures: list[bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Target]:
    base = tmp_path_factory.mktemp("base")
    shutil.copytree(small_models[0], base / "1")
    flags = ["--enable_batching", f"--grpc_receive_seconds={RECEIVE_SECONDS}"]
    with ServerProcess("m", base, flags=flags) as server:
        found = Target(server.wait().target, server.pid, pictures[0])
        yield found
        found.channel.close()


@pytest.mark.parametrize(
    ("make", "status"),
    [
        (lambda: _declared(50_000_000), "INVALID_ARGUMENT"),
        (lambda: _declared(1 << 40), "INVALID_ARGUMENT"),
        (lambda: _declared(1 << 62, 1 << 62), "INVALID_ARGUMENT"),
        (lambda: _declared(-1), "INVALID_ARGUMENT"),
        (lambda: _declared(5000), "INVALID_ARGUMENT"),
        (lambda: _declared(1001), "INVALID_ARGUMENT"),
        (lambda: _declared(1 << 40, dtype=types_pb2.DT_FLOAT), "INVALID_ARGUMENT"),
        (lambda: _declared(1 << 23, dtype=types_pb2.DT_FLOAT), "INVALID_ARGUMENT"),
        (lambda: _declared(1, dtype=types_pb2.DT_RESOURCE), "INVALID_ARGUMENT"),
        (lambda: _declared(1, dtype=99), "INVALID_ARGUMENT"),
        (lambda: b"\xff" * 1000, "INVALID_ARGUMENT"),
        (lambda: b"", "INVALID_ARGUMENT"),
        (lambda: request([os.urandom(1000)]).SerializeToString(), "INVALID_ARGUMENT"),
        (lambda: _many_names(1000), "INVALID_ARGUMENT"),
        (_long_name, "NOT_FOUND"),
        (lambda: bytes(65 * MEGABYTE), "RESOURCE_EXHAUSTED"),
        (lambda: request([bytes(60 * MEGABYTE)]).SerializeToString(), "INVALID_ARGUMENT"),
    ],
)
def test_a_hostile_request_gets_its_status(
    target: Target, make: Callable[[], bytes], status: str
) -> None:
    for _ in range(2):
        assert target.send(make()) == status
        target.assert_good()
    target.assert_modest()


def test_refused_messages_are_not_kept(target: Target) -> None:
    content = bytes(60 * MEGABYTE)
    for _ in range(10):
        assert target.send(content) == "INVALID_ARGUMENT"
    target.assert_modest()


REFUSALS = {"OK", "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION"}


@given(predict_requests() | st.binary(max_size=200))
@settings(max_examples=max(100, settings().max_examples // 5))
def test_any_request_is_answered_or_refused(
    target: Target, made: predict_pb2.PredictRequest | bytes
) -> None:
    content = made if isinstance(made, bytes) else made.SerializeToString()
    assert target.send(content) in REFUSALS
    if content[-1:] < b"\x20":
        target.assert_good()
        target.assert_modest()


def test_many_at_once_spoil_nothing_for_the_good_ones(target: Target) -> None:
    hostile = [_declared(50_000_000), request([b"no image"]).SerializeToString()]
    statuses: list[str] = []

    def attack() -> None:
        statuses.extend(target.send(content) for content in hostile * 20)

    attackers = [threading.Thread(target=attack) for _ in range(8)]
    for attacker in attackers:
        attacker.start()
    while any(attacker.is_alive() for attacker in attackers):
        target.assert_good()
    assert set(statuses) == {"INVALID_ARGUMENT"}
    target.assert_modest()


def test_deadlines_and_clients_that_leave_stop_the_work(target: Target) -> None:
    content = request([target.image] * 1000).SerializeToString()
    for _ in range(20):
        assert target.send(content, timeout=0.001) == "DEADLINE_EXCEEDED"
        target.channel.unary_unary(PREDICT).future(content).cancel()
    target.assert_good()
    target.assert_modest()


def test_clients_that_stop_half_way_are_dropped(target: Target) -> None:
    never = threading.Event()

    def silence() -> Iterator[bytes]:
        never.wait()
        yield from ()

    with grpc.insecure_channel(target.address) as channel:
        stream = channel.stream_unary(PREDICT)
        stalled = [stream.future(silence(), timeout=60) for _ in range(50)]
        for _ in range(10):
            target.assert_good()
        codes = {call.exception().code().name for call in stalled}
        never.set()
    assert codes == {"DEADLINE_EXCEEDED"}


def test_idle_and_foreign_connections_do_no_harm(target: Target) -> None:
    host, port = target.address.split(":")
    idle = [socket.create_connection((host, int(port))) for _ in range(500)]
    for connection in idle[::10]:
        connection.sendall(b"POST / HTTP/1.1\r\nContent-Length: 1000000000\r\n\r\n")
    for _ in range(5):
        target.assert_good()
    for connection in idle:
        connection.close()
    target.assert_good()
    target.assert_modest()
