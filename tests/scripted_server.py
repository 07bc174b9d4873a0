"""An HTTP server that does to its clients what a test tells it to."""

import json
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPMessage, parse_headers
from io import BufferedIOBase
from typing import Any

LABELS = ("dark", "naïve", "red")


@dataclass
class Request:
    """What a client sent.

    Attributes:
        line: the request line.
        headers: as they came.
        body: all of it.
        out: to the client.
        released: set when the test is over, for scripts that stall.
    """

    line: str
    headers: HTTPMessage
    body: bytes
    out: BufferedIOBase
    released: threading.Event

    @property
    def images(self) -> int:
        """Number of images that were asked about."""
        return len(json.loads(self.body)["inputs"]["image_bytes"])


Script = Callable[[Request], None]
"""Answers one request; the connection is closed if it raises ConnectionError."""


@dataclass
class Scripted:
    """A running server.

    Attributes:
        url: its address.
        requests: that came, in their order.
        most_at_once: requests under way at the same time.
    """

    url: str
    requests: list[Request] = field(default_factory=list)
    most_at_once: int = 0


@contextmanager
def scripted_server(*scripts: Script, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Serves the scripts one after the other; the last one again and again."""
    lock, released, under_way = threading.Lock(), threading.Event(), [0]

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            with suppress(ConnectionError, ssl.SSLError):
                while line := self.rfile.readline():
                    headers = parse_headers(self.rfile)
                    body = self.rfile.read(int(headers.get("content-length", 0)))
                    request = Request(line.decode().strip(), headers, body, self.wfile, released)
                    self.answer(request)

        def answer(self, request: Request) -> None:
            with lock:
                script = scripts[min(len(told.requests), len(scripts) - 1)]
                told.requests.append(request)
                under_way[0] += 1
                told.most_at_once = max(told.most_at_once, under_way[0])
            try:
                script(request)
            finally:
                with lock:
                    under_way[0] -= 1

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, request: Any, client_address: Any) -> None:
            """A client that goes away is not told."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        told = Scripted(f"{scheme}://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield told
        finally:
            released.set()
            server.shutdown()
            thread.join()


def reply(status: int, body: bytes, *headers: str) -> Script:
    """Answers with a body of any kind."""

    def script(request: Request) -> None:
        lines = [f"HTTP/1.1 {status} Told", f"Content-Length: {len(body)}", *headers]
        request.out.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    return script


def error(status: int, *headers: str) -> Script:
    """Answers with an error, as a model server does."""
    return reply(status, json.dumps({"error": "so it was told"}).encode(), *headers)


def outputs(images: int) -> dict[str, Any]:
    """What a model of Graft's says of so many images."""
    return {
        "probabilities": [[0.25, 0.125, 0.625]] * images,
        "class_ids": [[2, 0]] * images,
        "labels": [[LABELS[2], LABELS[0]]] * images,
    }


def answer(request: Request) -> None:
    """Answers as a model server does."""
    reply(200, json.dumps({"outputs": outputs(request.images)}).encode())(request)


def silence(request: Request) -> None:
    """Never answers."""
    request.released.wait()


def dribble(start: bytes, drop: bytes) -> Script:
    """Sends a drop every so often, and never comes to an end."""

    def script(request: Request) -> None:
        request.out.write(start)
        while not request.released.wait(0.02):
            request.out.write(drop)

    return script


def flood(start: bytes, part: bytes) -> Script:
    """Sends as fast as it can, and never comes to an end."""

    def script(request: Request) -> None:
        request.out.write(start)
        while not request.released.is_set():
            request.out.write(part)

    return script


def death(after: bytes) -> Script:
    """Breaks the connection in the midst of an answer."""

    def script(request: Request) -> None:
        request.out.write(after)
        raise ConnectionError

    return script
