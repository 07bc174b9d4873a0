"""Hostile REST requests to a server process that has 2 GB of memory, and good ones between them."""

import gzip
import json
import random
import resource
import shutil
import socket
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from raw_http import connect, exchange, post, read_answer, send

from serving.server_process import ServerProcess

PREDICT = "/v1/models/m:predict"
MEMORY = 2 * 2**30


@dataclass
class Victim:
    """A server under attack.

    Attributes:
        port: of REST.
        pid: of the process.
        good: a request that is always to be answered with 200.
        slowest: seconds of the slowest good request so far.
    """

    port: int
    pid: int
    good: bytes
    slowest: float = 0.0
    failures: list[str] = field(default_factory=list)

    def ask(self) -> None:
        """Sends a good request."""
        began = time.monotonic()
        answer = exchange(self.port, self.good)
        self.slowest = max(self.slowest, time.monotonic() - began)
        if answer is None or answer.status != 200:
            self.failures.append(repr(answer))

    def peak(self) -> int:
        """The most memory that the process has ever held, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii")
        return next(int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line) * 1024

    def attack(self, *parts: bytes) -> int | None:
        """Sends a hostile request while good ones go on; returns its status."""
        statuses = []
        attacker = threading.Thread(
            target=lambda: statuses.append(exchange(self.port, *parts)), daemon=True
        )
        attacker.start()
        while attacker.is_alive():
            self.ask()
            attacker.join(0.05)
        self.ask()
        return statuses[0].status if statuses[0] is not None else None


@pytest.fixture(scope="module")
def victim(
    small_models: tuple[Path, Path],
    pictures: list[bytes],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Victim]:
    folder = tmp_path_factory.mktemp("hostile")
    shutil.copytree(small_models[0], folder / "base" / "1")
    good = json.dumps({"instances": [{"b64": b64encode(pictures[0]).decode()}]}).encode()
    with ServerProcess("m", folder / "base", folder / "log") as server:
        port = urlsplit(server.wait().url).port
        assert port is not None
        resource.prlimit(server.pid, resource.RLIMIT_DATA, (MEMORY, MEMORY))
        victim = Victim(port, server.pid, post(PREDICT, good))
        victim.ask()
        victim.slowest = 0.0
        yield victim
        victim.ask()
        print(f"slowest good request {victim.slowest:.2f} s, peak {victim.peak() / 2**20:.0f} MiB")
        assert victim.failures == []
        assert victim.peak() < MEMORY
        assert "Traceback" not in (folder / "log").read_text("utf-8")
    # Good requests are answered within a second on a machine that has nothing else to do.
    assert victim.slowest < 20


def _pieces(piece: bytes, size: int) -> Iterator[bytes]:
    block = piece * (2**18 // len(piece))
    for _ in range(size // len(block)):
        yield block


@pytest.mark.parametrize(
    ("start", "piece", "end", "size"),
    [
        (b'{"instances": [', b"0.12345678,", b"0]}", 28 * 2**20),
        (b'{"instances": [', b"[0.125,0.25,0.5],", b"[0,0,0]]}", 8 * 2**20),
        (b'{"instances": [', b"1,", b"1]}", 60 * 2**20),
        (b'{"instances": [', b"[],", b"[]]}", 60 * 2**20),
        (b'{"instances": [', b'{"b64":""},', b"0]}", 60 * 2**20),
        (b'{"instances": [', b'{"":0},', b"{}]}", 60 * 2**20),
        (b'{"instances": [', b'"",', b'""]}', 16 * 2**20),
        (b'{"instances": [', b"NaN,", b"NaN]}", 2**20),
        (b'{"instances": [{"b64": "', b"A", b'"}]}', 60 * 2**20),
        (b'{"a": "', b"\\u0000", b'", "instances": ["x"]}', 60 * 2**20),
        (b'{"a": ', b" ", b"", 60 * 2**20),
        (b'{"a": ', b"[", b"", 8 * 2**20),
        (b'{"a": ', b"9", b"}", 8 * 2**20),
    ],
    ids=lambda value: value[:12].decode() if isinstance(value, bytes) else None,
)
def test_large_json(victim: Victim, start: bytes, piece: bytes, end: bytes, size: int) -> None:
    blocks = list(_pieces(piece, size))
    total = len(start) + sum(map(len, blocks)) + len(end)
    assert victim.attack(post(PREDICT, b"", length=total), start, *blocks, end) == 400


def test_many_large_bodies_at_a_time(victim: Victim) -> None:
    blocks = list(_pieces(b"A", 40 * 2**20))
    head = post(PREDICT, b"", length=25 + sum(map(len, blocks)) + 4)
    parts = [head, b'{"instances": [{"b64": "A', *blocks, b'"}]}']
    statuses: list[int | None] = []

    def attack() -> None:
        answer = exchange(victim.port, *parts)
        statuses.append(answer.status if answer else None)

    attackers = [threading.Thread(target=attack, daemon=True) for _ in range(12)]
    for attacker in attackers:
        attacker.start()
    while any(attacker.is_alive() for attacker in attackers):
        victim.ask()
        time.sleep(0.05)
    assert set(statuses) <= {400, 503}
    assert 400 in statuses


def test_gzip_bombs(victim: Victim) -> None:
    bomb = gzip.compress(b"[" * 2**20, 9) * 500
    twice = gzip.compress(bomb, 9)
    for body, status in ((bomb, 413), (twice, 400), (bomb[:-5], 413), (b"\x1f\x8b\x08", 400)):
        assert victim.attack(post(PREDICT, body, "Content-Encoding: gzip")) == status


def test_lies_about_the_length(victim: Victim) -> None:
    for length in (4 * 10**9, 10**12, 65 * 2**20):
        assert victim.attack(post(PREDICT, b"{}", length=length)) == 413
    unknown = "/v1/models/x:predict"
    assert victim.attack(post(unknown, b"", length=300 * 10**6), *[b" " * 2**18] * 400) == 404
    chunked = f"POST {PREDICT} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    assert victim.attack(chunked, *[b"40000\r\n" + b" " * 2**18 + b"\r\n"] * 300) in (413, None)


def test_connections_that_say_little(victim: Victim) -> None:
    beginnings = [
        b"",
        b"\r\n",
        b"GET /livez HTTP/1.1\r\nX: ",
        post(PREDICT, b"{", length=100_000),
        b"GET /livez HTTP/1.1\r\n\r\n",
    ]
    with ExitStack() as stack:
        for number in range(900):
            client = stack.enter_context(closing(connect(victim.port)))
            client.sendall(beginnings[number % 5])
            if number % 50 == 0:
                victim.ask()
    victim.ask()


def test_requests_ahead_of_any_answer_and_none_read(victim: Victim) -> None:
    with ExitStack() as stack:
        for request in (b"GET /v1/models/m/metadata HTTP/1.1\r\n\r\n", victim.good):
            client = stack.enter_context(closing(connect(victim.port, timeout=2)))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            try:
                send(client, [request * (2**20 // len(request))] * 20)
            except TimeoutError:
                victim.ask()


def test_clients_that_leave_in_the_middle(victim: Victim) -> None:
    chance = random.Random(1)
    large = post(PREDICT, b'{"instances": [' + b"1.5," * 10**6 + b"1]}")
    for number in range(100):
        request = large if number % 10 == 0 else victim.good
        with closing(connect(victim.port)) as client:
            client.sendall(request[: chance.randint(1, len(request))])
            if number % 3 == 0:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if number % 20 == 0:
            victim.ask()
    victim.ask()


def test_smuggled_requests_are_not_answered(victim: Victim) -> None:
    hidden = b"GET /v1/models/hidden HTTP/1.1\r\n\r\n"
    with closing(connect(victim.port)) as client:
        client.sendall(
            f"POST {PREDICT} HTTP/1.1\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n"
            "0\r\n\r\nG".encode()
            + hidden
        )
        first = read_answer(client)
        assert first is not None
        assert first.status == 400
        assert read_answer(client) is None


def test_many_instances(victim: Victim, pictures: list[bytes]) -> None:
    image = {"b64": b64encode(pictures[0]).decode()}
    assert victim.attack(post(PREDICT, json.dumps({"instances": [image] * 5000}).encode())) == 400
    assert victim.attack(post(PREDICT, json.dumps({"instances": [image] * 900}).encode())) == 200
    bad = [image] * 899 + [{"b64": "AAAA"}]
    assert victim.attack(post(PREDICT, json.dumps({"inputs": bad}).encode())) == 400
