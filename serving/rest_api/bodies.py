"""Reads the bodies of requests within the server's means.

Nothing is set aside for a body before its bytes are there; what is too large is refused at the
first byte that shows it.
"""

import asyncio
import zlib
from collections.abc import Iterator
from typing import Final

import grpc
from starlette.types import Message, Receive

from serving.errors import ServingError, invalid_argument
from serving.limits import Limits
from serving.servables.memory import LargeRequests

_SMALL_BODY: Final = 256 * 1024
"""Bytes up to which a body is always read, and is parsed at once rather than in a thread."""

_BODIES_IN_MEMORY: Final = 4
_GZIP: Final = 16 + zlib.MAX_WBITS
_CHUNK: Final = 2**20

Headers = dict[bytes, bytes]
"""Names in lower case to values."""


class BodyError(ServingError):
    """A body that is not read, with an HTTP status of its own."""

    def __init__(self, http_status: int, code: grpc.StatusCode, message: str) -> None:
        super().__init__(code, message)
        self._http_status = http_status

    @property
    def http_status(self) -> int:
        """The HTTP status; other servers know no finer one than that of the code."""
        return self._http_status


class BodyStore:
    """The memory that large bodies share, so that many of them at a time are refused."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.free = _BODIES_IN_MEMORY * limits.body_bytes
        self._large = LargeRequests()

    def give_back(self, size: int) -> None:
        """Takes back what a body has taken."""
        self.free += size
        self._large.leave(size)


class Body:
    """The body of one request; used in a `with` block, which gives its memory back.

    Attributes:
        content: the bytes as they were sent.
        is_gzip: whether they are compressed.
    """

    def __init__(self, store: BodyStore, headers: Headers) -> None:
        """Refuses what the headers already show to be too large, or in an unknown encoding.

        Raises:
            BodyError: 413, 415 or 501.
        """
        self.content: bytes | bytearray = b""
        self._store = store
        self._taken = 0
        encoding = headers.get(b"content-encoding", b"identity").lower()
        if encoding not in (b"identity", b"gzip", b"x-gzip"):
            message = f"A body cannot be in the encoding {encoding.decode('latin-1')}; use gzip."
            raise BodyError(415, grpc.StatusCode.INVALID_ARGUMENT, message)
        if headers.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
            message = "The one transfer encoding of a body is chunked."
            raise BodyError(501, grpc.StatusCode.UNIMPLEMENTED, message)
        self.is_gzip = encoding != b"identity"
        self._require_at_most(int(headers.get(b"content-length", 0)))

    def __enter__(self) -> "Body":
        return self

    def __exit__(self, *_: object) -> None:
        self._store.give_back(self._taken)

    async def read(self, receive: Receive) -> None:
        """Fills `content`.

        Raises:
            ServingError: it is too large, or there is no room for it now.
            CancelledError: the client has left.
        """
        message = await _next_part(receive)
        self.content = message["body"]
        if not message["more_body"]:
            return
        self.content = bytearray(self.content)
        while message["more_body"]:
            message = await _next_part(receive)
            self.content += message["body"]
            self._require_at_most(len(self.content))
            self._take(len(self.content))

    @property
    def is_slow(self) -> bool:
        """Whether the event loop should not parse it."""
        return self.is_gzip or len(self.content) > _SMALL_BODY

    def take(self) -> bytes | bytearray:
        """The content without its compression; it is gone from here then.

        Raises:
            ServingError: it is too large, or no whole gzip data.
        """
        content, self.content = self.content, b""
        if not self.is_gzip:
            return content
        inflated = bytearray()
        for part in _inflate(content):
            inflated += part
            self._require_at_most(len(inflated))
        return inflated

    def _require_at_most(self, size: int) -> None:
        limit = self._store.limits.body_bytes
        if size > limit:
            message = f"The body has more than {limit} bytes, which is the limit."
            raise BodyError(413, grpc.StatusCode.RESOURCE_EXHAUSTED, message)

    def _take(self, size: int) -> None:
        more = size - self._taken
        if size <= _SMALL_BODY or more <= 0:
            return
        if more > self._store.free:
            message = "The server reads too many large bodies. Try again later."
            raise ServingError(grpc.StatusCode.UNAVAILABLE, message)
        self._store.free -= more
        self._taken = size


async def _next_part(receive: Receive) -> Message:
    message = await receive()
    if message["type"] == "http.disconnect":
        raise asyncio.CancelledError
    return message


def _inflate(content: bytes | bytearray) -> Iterator[bytes]:
    """Parts of what gzip data hold, of 1 MiB at most; the data may be several files in a row."""
    rest: bytes | memoryview = memoryview(content)
    try:
        while rest:
            stream = zlib.decompressobj(_GZIP)
            while rest and not stream.eof:
                yield stream.decompress(rest, _CHUNK)
                rest = stream.unconsumed_tail or stream.unused_data
            if not stream.eof:
                yield stream.flush()
            if not stream.eof:
                raise zlib.error("incomplete")
    except zlib.error as error:
        raise invalid_argument("The body is not valid gzip data.") from error
