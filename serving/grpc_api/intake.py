"""Takes requests in: bounds on how many are read at a time, how long, and at what cost of memory.

A message lies in memory while it comes in, and a client may stop half-way. gRPC does not say how
much of a message is there, so the memory of the process is watched: when it grows, the requests
that have been coming for a while are dropped. Such a request makes way for a new one, too, when as
many come in as there may be.
"""

import asyncio
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar

import grpc

from serving.errors import ServingError
from serving.grpc_api.pace import LargeSenders
from serving.limits import Limits
from serving.servables.memory import LargeRequests

Parsed = TypeVar("Parsed")
_PATIENCE: Final = 1.0
_LOOK_SECONDS: Final = 0.1
_SMALL: Final = 2**17
_DECODERS: Final = 2
_STATM: Final = Path("/proc/self/statm")
_LATE: Final = "The request did not come in time."


class Intake:
    """Reads the requests of one server, on its event loop."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._reading: dict[grpc.aio.ServicerContext, float] = {}
        self._decoders = ThreadPoolExecutor(_DECODERS, "decode")
        self._undecoded = 0
        self._large = LargeRequests()
        self._senders = LargeSenders()
        self._calm = 0
        self._look: asyncio.TimerHandle | None = None
        self._endings: set[asyncio.Task[None]] = set()

    async def request(
        self, context: grpc.aio.ServicerContext, parse: Callable[[bytes], Parsed]
    ) -> Parsed:
        """Reads the one message of a call.

        Args:
            context: of the call.
            parse: makes a request of the bytes; large ones are parsed off the event loop.

        Raises:
            ServingError: what `parse` says, that the message did not come in time, or that there
                are too many.
        """
        await self._turn(context)
        message = await self._read(context)
        size = len(message)
        self._senders.note(context.peer(), size)
        if size < _SMALL:
            return parse(message)
        if self._undecoded and self._undecoded + size > _DECODERS * self._limits.message_bytes:
            raise _full("Large requests wait to be unpacked.")
        self._undecoded += size
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._decoders, parse, message)
        finally:
            self._undecoded -= size
            self._large.leave(size)

    def close(self) -> None:
        """Ends the threads."""
        if self._look is not None:
            self._look.cancel()
        self._decoders.shutdown()

    async def _turn(self, context: grpc.aio.ServicerContext) -> None:
        wait = self._senders.wait(context.peer(), asyncio.get_running_loop().time())
        if wait > self._limits.receive_seconds:
            raise _full("Large requests wait to be read.")
        if wait:
            await asyncio.sleep(wait)

    async def _read(self, context: grpc.aio.ServicerContext) -> bytes:
        loop = asyncio.get_running_loop()
        if len(self._reading) >= self._limits.concurrent_requests:
            self._make_room()
        if not self._reading and self._look is None:
            self._calm = _resident_bytes()
            self._look = loop.call_later(_LOOK_SECONDS, self._watch)
        self._reading[context] = loop.time()
        try:
            message = await context.read()
        finally:
            self._reading.pop(context, None)
        if message is grpc.aio.EOF:
            raise ServingError(grpc.StatusCode.DEADLINE_EXCEEDED, _LATE)
        return bytes(message)

    def _make_room(self) -> None:
        oldest, began = next(iter(self._reading.items()))
        if asyncio.get_running_loop().time() - began < _PATIENCE:
            raise _full("Many requests come in.")
        self._drop(oldest)

    def _watch(self) -> None:
        """Drops what has been coming for too long, at too great a cost."""
        loop = asyncio.get_running_loop()
        self._look = loop.call_later(_LOOK_SECONDS, self._watch) if self._reading else None
        now = loop.time()
        slow = [context for context, began in self._reading.items() if now - began > _PATIENCE]
        if not slow:
            self._calm = _resident_bytes()
            return
        is_costly = _resident_bytes() - self._calm > self._limits.waiting_bytes
        for context in slow:
            if is_costly or now - self._reading[context] > self._limits.receive_seconds:
                self._drop(context)

    def _drop(self, context: grpc.aio.ServicerContext) -> None:
        del self._reading[context]
        # To end the call ends the read too; a read that is cancelled would leave its memory behind.
        ending = asyncio.ensure_future(_end(context))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)


def _resident_bytes() -> int:
    """Memory that the process holds now; 0 where the system does not say."""
    try:
        return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def _full(reason: str) -> ServingError:
    return ServingError(grpc.StatusCode.RESOURCE_EXHAUSTED, f"{reason} Try again later.")


async def _end(context: grpc.aio.ServicerContext) -> None:
    try:
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, _LATE)
    except grpc.aio.AbortError:
        return
