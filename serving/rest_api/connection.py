"""One HTTP connection: what uvicorn does not bound is bounded here.

uvicorn (with llhttp, Node.js's parser) knows no limit for the time and size of headers, for the
time of a body, for requests sent ahead of their answers, nor for clients that do not read.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from serving.limits import Limits
from serving.rest_api.request_parser import RequestParser

_HEADER_BYTES: Final = 64 * 1024
_REQUESTS_AHEAD: Final = 16
_BYTES_PER_SECOND: Final = 2**20
_WRITE_SECONDS: Final = 30.0
_LINGER_SECONDS: Final = 2.0
_FAREWELL_SECONDS: Final = 0.5


class Connection(HttpToolsProtocol):
    """uvicorn's connection with limits, JSON errors, and an end that loses no request."""

    def __init__(
        self,
        limits: Limits,
        waiting: dict["Connection", None],
        refused: Callable[[int], None],
        **of_uvicorn: Any,
    ) -> None:
        """Prepares a connection.

        Args:
            limits: what the client may take.
            waiting: the connections without a request, the one that waits longest first; shared.
            refused: is told the HTTP status of what never came to the application.
            of_uvicorn: what uvicorn hands to its own class.
        """
        super().__init__(**of_uvicorn)
        self.parser: RequestParser = RequestParser(self)
        self._limits = limits
        self._waiting = waiting
        self._refused = refused
        self._asgi: ASGIApp = self.app
        self.app = self._run
        self._task: asyncio.Task[Any] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._write_watch: asyncio.TimerHandle | None = None
        self._refusal = (400, "This is no valid HTTP request.")
        self._in_headers = self._in_body = self._draining = self._left = False
        self._header_bytes = self._body_bytes = self._raw_bytes = 0
        self._began = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Greets a client, or turns it away when there are too many."""
        self._writer = _Writer(transport, self)
        super().connection_made(self._writer)  # type: ignore[arg-type]
        if len(self.connections) > self._limits.connections and not self._make_room():
            self._refuse(503, f"The server has {self._limits.connections} connections already.")
            return
        self._waiting[self] = None
        self._watch_for(self._limits.header_seconds, self._headers_late)

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends the work for a client that has left."""
        super().connection_lost(exc)
        self._waiting.pop(self, None)
        self._watch_for(None)
        if self._write_watch is not None:
            self._write_watch.cancel()
        self._cancel()

    def data_received(self, data: bytes) -> None:
        """Parses what has come, and minds the clock of what has not."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._in_headers or (self._is_idle and not self._in_body):
            self._header_bytes += len(data)
            if self._header_bytes > _HEADER_BYTES:
                self._refuse(431, f"The headers have more than {_HEADER_BYTES} bytes.")
            elif self._watch is None:
                self._watch_for(self._limits.header_seconds, self._headers_late)
        elif self._in_body:
            self._raw_bytes += len(data)
            if self._raw_bytes > 2 * self._limits.body_bytes + _HEADER_BYTES:
                self._refuse(413, "The chunks of the body are too many.")
            elif self._watch is None:
                self._watch_for(self._limits.body_seconds, self._body_late)

    def on_message_begin(self) -> None:
        """Notes that a request begins."""
        super().on_message_begin()
        self._in_headers = True
        self._header_bytes = self._body_bytes = self._raw_bytes = 0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Takes a header, or a trailer after a chunked body."""
        if self._in_body:
            self._header_bytes += len(name) + len(value)
            if self._header_bytes > _HEADER_BYTES:
                self._fail(431, f"The headers have more than {_HEADER_BYTES} bytes.")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Starts the answer."""
        if self.parser.starts_again:
            return
        if len(self.pipeline) >= _REQUESTS_AHEAD:
            self._fail(429, f"More than {_REQUESTS_AHEAD} requests wait in this connection.")
        super().on_headers_complete()
        if self._draining:
            self.cycle.keep_alive = False
        self._waiting.pop(self, None)
        self._in_headers, self._in_body = False, True
        self._began = self.loop.time()
        self._watch_for(None)

    def on_body(self, body: bytes) -> None:
        """Takes a part of a body."""
        self._body_bytes += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Notes that a request is there as a whole."""
        if self.parser.starts_again:
            return
        super().on_message_complete()
        self._in_body = False
        self._watch_for(None)

    def on_response_complete(self) -> None:
        """Waits for the next request."""
        super().on_response_complete()
        if self._is_idle:
            self._waiting[self] = None

    def pause_writing(self) -> None:
        """Minds the clock of a client that does not read its answer."""
        super().pause_writing()
        self._watch_reader(self.transport.get_write_buffer_size() + 1)

    def resume_writing(self) -> None:
        """The client has read."""
        super().resume_writing()
        if self._write_watch is not None:
            self._write_watch.cancel()

    def shutdown(self) -> None:
        """Answers what runs or is on its way, then closes."""
        self._draining = True
        if self._is_idle:
            self.loop.call_later(_FAREWELL_SECONDS, self._close_if_idle)
        else:
            self.cycle.keep_alive = False

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (uvicorn's words)
        """Answers what is no HTTP, as JSON."""
        self._refuse(*self._refusal)

    @property
    def expects_more(self) -> bool:
        """Whether the client is still sending."""
        return self._in_headers or self._in_body

    @property
    def _is_idle(self) -> bool:
        """Whether every request is answered."""
        return self.cycle is None or self.cycle.response_complete

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers one request, until the client leaves or the time to drain is over."""
        self._task = asyncio.current_task()
        cycle: RequestResponseCycle = receive.__self__  # type: ignore[attr-defined]

        async def send_together(message: Message) -> None:
            # What is left of a body that nobody wants is not read just to reach the next request.
            cycle.keep_alive = cycle.keep_alive and not cycle.more_body
            # To HEAD no body follows that the headers could wait for.
            is_start = message["type"] == "http.response.start"
            self._writer.holds = is_start and scope["method"] != "HEAD"
            await send(message)

        try:
            await self._asgi(scope, receive, send_together)
        except asyncio.CancelledError:
            if not self._left:
                self._refuse(503, "The server stops.")
        finally:
            self._task = None

    def _fail(self, status: int, message: str) -> None:
        """Ends the parsing; uvicorn then calls `send_400_response`."""
        self._refusal = (status, message)
        raise ValueError(message)

    def _refuse(self, status: int, message: str) -> None:
        """Answers in the application's place, and closes."""
        if self.transport.is_closing():
            return
        if self._task is None:
            self._refused(status)
        is_answered = not self._is_idle and (self.cycle.response_started or self.pipeline)
        if not self._is_idle:
            self.cycle.disconnected = True
        self._cancel()
        if not is_answered:
            body = orjson.dumps({"error": message})
            self.transport.write(
                STATUS_LINE[status]
                + b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d"
                b"\r\n\r\n%b" % (len(body), body)
            )
        self.transport.close()

    def _cancel(self) -> None:
        """Ends the work for a client that gets no more answers."""
        self._left = True
        if self._task is not None:
            self._task.cancel()

    def _make_room(self) -> bool:
        """Closes the connection that has waited longest for a request, if one does."""
        longest = next(iter(self._waiting), None)
        if longest is None:
            return False
        del self._waiting[longest]
        longest.transport.abort()
        return True

    def _watch_for(self, seconds: float | None, late: Any = None) -> None:
        if self._watch is not None:
            self._watch.cancel()
        self._watch = None if seconds is None else self.loop.call_later(seconds, late)

    def _headers_late(self) -> None:
        seconds = self._limits.header_seconds
        self._refuse(408, f"The headers of a request must arrive within {seconds:g} s.")

    def _body_late(self) -> None:
        allowed = self._limits.body_seconds + self._body_bytes / _BYTES_PER_SECOND
        left = self._began + allowed - self.loop.time()
        if left > 0 or self.pipeline:
            self._watch_for(max(left, 1.0), self._body_late)
        else:
            self._refuse(408, f"The body did not arrive within {allowed:.0f} s.")

    def _watch_reader(self, unread: int) -> None:
        now = self.transport.get_write_buffer_size()
        if now >= unread:
            self.transport.abort()
        elif now:
            self._write_watch = self.loop.call_later(_WRITE_SECONDS, self._watch_reader, now)

    def _close_if_idle(self) -> None:
        if self._is_idle and not self.expects_more:
            self.transport.close()


class _Writer:
    """A transport that sends headers with their body, and lets a client read its answer.

    A socket that is closed while the client still sends is reset, and the client may lose the
    answer that tells it why. So the sending side is closed first, and what comes is thrown away.

    Attributes:
        holds: what is written next waits for what is written after it.
    """

    def __init__(self, transport: asyncio.Transport, connection: Connection) -> None:
        self._transport = transport
        self._connection = connection
        self._closing = False
        self._held = b""
        self.holds = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._closing or self._transport.is_closing()

    def write(self, data: bytes) -> None:
        # What an answer still writes after its connection was given up goes nowhere.
        if self._closing:
            return
        if self.holds:
            self._held += data
        elif self._held:
            self._transport.writelines((self._held, data))
            self._held = b""
        else:
            self._transport.write(data)

    def close(self) -> None:
        if self._closing:
            return
        self.holds = False
        self.write(b"")
        self._closing = True
        if self._transport.is_closing() or not self._connection.expects_more:
            self._transport.close()
            return
        self._transport.write_eof()
        self._transport.resume_reading()
        self._connection.loop.call_later(_LINGER_SECONDS, self._transport.abort)
