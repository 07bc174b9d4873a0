"""HTTP byte by byte: requests that no client library would send."""

import socket
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(frozen=True)
class RawAnswer:
    """What came back until the server closed, or until the one answer was there."""

    status: int
    headers: dict[str, str]
    body: bytes


def post(path: str, body: bytes, *headers: str, length: int | None = None) -> bytes:
    """A whole request; `length` lies about the body's."""
    lines = [f"POST {path} HTTP/1.1", "Host: a", *headers]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def connect(port: int, timeout: float = 60.0) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout)


def exchange(port: int, *parts: bytes) -> RawAnswer | None:
    """Sends all parts and reads one answer; None if the server closes without one."""
    with closing(connect(port)) as connection:
        send(connection, parts)
        return read_answer(connection)


def send(connection: socket.socket, parts: Iterable[bytes]) -> None:
    """Sends as much as the server takes."""
    try:
        for part in parts:
            connection.sendall(part)
    except (BrokenPipeError, ConnectionResetError):
        return


def read_answer(connection: socket.socket) -> RawAnswer | None:
    """Reads one answer; an invitation to send the body is passed over."""
    received = b""
    while b"\r\n\r\n" not in received:
        part = _receive(connection)
        if not part:
            return None
        received = (received + part).removeprefix(_CONTINUE)
    head, _, body = received.partition(b"\r\n\r\n")
    status_line, *lines = head.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in lines)
    }
    length = int(headers["content-length"])
    while len(body) < length:
        part = _receive(connection)
        if not part:
            return None
        body += part
    return RawAnswer(int(status_line.split()[1]), headers, body[:length])


def _receive(connection: socket.socket) -> bytes:
    try:
        return connection.recv(65536)
    except ConnectionResetError:
        return b""
