"""The parser of HTTP requests, which goes on as before where a client asks for another protocol."""

from array import array
from typing import Final, Protocol, TypeAlias

import httptools

_ASKS_FOR_ANOTHER: Final = frozenset({b"upgrade", b"http2-settings"})

Bytes: TypeAlias = "bytes | bytearray | memoryview[int] | array[int]"
"""What httptools parses."""


class Callbacks(Protocol):
    """What a parser tells of a request, and what is known of the one that it is in."""

    url: bytes
    headers: list[tuple[bytes, bytes]]


class RequestParser(httptools.HttpRequestParser):
    """Takes a request that asks for another protocol for the same one that does not ask.

    Java's own client and `curl --http2` ask for HTTP/2 with their first request, and expect an
    answer by HTTP/1.1 from a server that has none (RFC 9110, 7.8). httptools takes what follows the
    headers for that other protocol, so that the body would be lost.
    """

    def __init__(self, callbacks: Callbacks) -> None:
        """Prepares to parse what comes over one connection."""
        super().__init__(callbacks)
        # As uvicorn sets it: what is sent after a last request is no mistake of that request.
        self.set_dangerous_leniencies(lenient_data_after_close=True)
        self._callbacks = callbacks

    @property
    def starts_again(self) -> bool:
        """Whether the request whose headers are there comes once more, without what it asked."""
        return self.should_upgrade() and any(
            name == b"upgrade" for name, _ in self._callbacks.headers
        )

    def feed_data(self, data: Bytes) -> None:
        """Parses what has come.

        Raises:
            HttpParserError: it is no HTTP.
            HttpParserUpgrade: it asks for a tunnel.
        """
        rest: Bytes | None = data
        while rest is not None:
            rest = self._parse(rest)

    def _parse(self, data: Bytes) -> bytes | None:
        """Parses; returns what is to be parsed next, None where all is."""
        try:
            super().feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if not self.starts_again:
                raise
            return self._same_without_asking() + bytes(data[upgrade.args[0] :])
        return None

    def _same_without_asking(self) -> bytes:
        version = self.get_http_version().encode()
        lines = [b"%b %b HTTP/%b" % (self.get_method(), self._callbacks.url, version)]
        for name, value in self._callbacks.headers:
            if name not in _ASKS_FOR_ANOTHER:
                lines.append(b"%b: %b" % (name, value))
        return b"\r\n".join([*lines, b"", b""])
