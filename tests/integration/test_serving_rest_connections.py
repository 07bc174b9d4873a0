"""Connections of REST: what they may take, how long they last, and how they end."""

import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import pytest
from raw_http import connect, exchange, post, read_answer
from serving_requests import SMALL_LIMITS

from serving.limits import Limits
from serving.rest_api.options import RestOptions
from serving.rest_api.server import RestServer
from serving.servables.registry import Target
from serving.server.model_server import ModelServer

PREDICT = "/v1/models/m:predict"
IMPATIENT = Limits(header_seconds=0.3, body_seconds=0.3)


@dataclass
class Gate:
    """Holds up the model."""

    entered: threading.Event
    leave: threading.Event


@pytest.fixture
def gate(server: ModelServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    gate = Gate(threading.Event(), threading.Event())
    with server.registry.lease(Target("m")) as lease:
        run = lease.model.run

        def held(*arguments: Any) -> Any:
            gate.entered.set()
            assert gate.leave.wait(60)
            return run(*arguments)

        monkeypatch.setattr(lease.model, "run", held)
        yield gate
        gate.leave.set()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_slow_headers_and_idle_connections_end(another: Callable[..., RestServer]) -> None:
    port = another(IMPATIENT).port
    with ExitStack() as stack:
        begun = [stack.enter_context(closing(connect(port))) for _ in range(8)]
        for client in begun[:5]:
            client.sendall(b"GET /livez HTTP/1.1\r\nX: ")
        begun[5].sendall(b"\r\n")
        answers = [read_answer(client) for client in begun]
    assert [answer and answer.status for answer in answers] == [408] * 8


def test_head_is_answered_at_once_and_the_connection_stays(port: int) -> None:
    with closing(connect(port, timeout=20)) as client:
        for path, status in (("/readyz", b"200"), ("/v1/models/m", b"400"), ("/", b"404")):
            client.sendall(f"HEAD {path} HTTP/1.1\r\n\r\n".encode())
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(65536)
            assert head.split()[1] == status
        client.sendall(b"GET /livez HTTP/1.1\r\n\r\n")
        answer = read_answer(client)
    assert answer is not None
    assert answer.body == b'{"status":"alive"}\n'


def test_a_slow_body_ends(another: Callable[..., RestServer]) -> None:
    with closing(connect(another(IMPATIENT).port)) as client:
        client.sendall(post(PREDICT, b"{", length=100))
        answer = read_answer(client)
    assert answer is not None
    assert answer.status == 408


def test_there_are_files_for_all_connections(another: Callable[..., RestServer]) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (600, hard))
    try:
        another(Limits(connections=200))
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == 712
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_headers_and_body_come_in_one_segment(port: int, body: bytes) -> None:
    with closing(connect(port)) as client:
        for answers in range(1, 4):
            client.sendall(post(PREDICT, body))
            answer = read_answer(client)
            assert answer is not None
            assert answer.status == 200
            assert _segments_received(client) == answers


def test_the_connection_that_waits_longest_makes_room(port: int, body: bytes) -> None:
    with ExitStack() as stack:
        idle = [stack.enter_context(closing(connect(port))) for _ in range(60)]
        answer = exchange(port, post(PREDICT, body))
        assert answer is not None
        assert answer.status == 200
        assert read_answer(idle[0]) is None


def test_a_client_that_leaves_takes_its_request_along(
    server: ModelServer, port: int, body: bytes, gate: Gate, caplog: pytest.LogCaptureFixture
) -> None:
    with closing(connect(port)) as client:
        client.sendall(post(PREDICT, body))
        assert gate.entered.wait(60)
        assert server._runner._requests == 1
    _until(lambda: server._runner._requests == 0)
    assert not caplog.records


def test_an_answer_that_takes_too_long_is_given_up(
    server: ModelServer, another: Callable[..., RestServer], body: bytes, gate: Gate
) -> None:
    rest = another(SMALL_LIMITS, RestOptions(timeout_seconds=0.2))
    answer = exchange(rest.port, post(PREDICT, body))
    assert gate.entered.is_set()
    assert answer is not None
    assert (answer.status, b"was not there in time" in answer.body) == (504, True)
    assert server._runner._requests == 0


def test_the_drain_answers_what_runs_and_refuses_what_comes(
    another: Callable[..., RestServer], body: bytes, gate: Gate
) -> None:
    rest = another()
    with closing(connect(rest.port)) as client, closing(connect(rest.port)) as idle:
        idle.sendall(b"GET /livez HTTP/1.1\r\n\r\n")
        assert read_answer(idle) is not None
        client.sendall(post(PREDICT, body))
        assert gate.entered.wait(60)
        drain = threading.Thread(target=rest.drain, args=(60,))
        drain.start()
        _until(lambda: _is_refused(rest.port))
        assert drain.is_alive()
        gate.leave.set()
        answer = read_answer(client)
        assert answer is not None
        assert (answer.status, client.recv(1)) == (200, b"")
        assert idle.recv(1) == b""
        drain.join(60)
        assert not drain.is_alive()


def test_the_drain_gives_up_in_time(
    another: Callable[..., RestServer], body: bytes, gate: Gate
) -> None:
    rest = another()
    with closing(connect(rest.port)) as client:
        client.sendall(post(PREDICT, body))
        assert gate.entered.wait(60)
        rest.drain(0.1)
        answer = read_answer(client)
        assert answer is not None
        assert (answer.status, answer.body) == (503, b'{"error":"The server stops."}')


def _segments_received(client: socket.socket) -> int:
    """tcpi_data_segs_in of Linux's tcp_info."""
    found = client.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 160)
    return int(struct.unpack_from("I", found, 152)[0])


def _is_refused(port: int) -> bool:
    try:
        connect(port).close()
    except ConnectionRefusedError:
        return True
    return False
