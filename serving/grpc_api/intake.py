"""Takes requests in: a bound on how many are read at a time, and on how long one may take.

A message lies in memory while it comes in, and a client may stop half-way. So a request that has
been coming for a while makes way when others wait, and one that comes for too long is dropped.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import grpc

from serving.errors import ServingError
from serving.limits import Limits

Parsed = TypeVar("Parsed")
_PATIENCE: Final = 1.0
_READ_BYTES: Final = 2**29
_SMALL: Final = 2**17
_DECODERS: Final = 2


class Intake:
    """Reads the requests of one server, on its event loop."""

    def __init__(self, limits: Limits) -> None:
        """Prepares to read as many messages at a time as fit into 512 MiB."""
        self._slots = asyncio.Semaphore(max(_DECODERS, _READ_BYTES // limits.message_bytes))
        self._seconds = limits.receive_seconds
        self._reading: dict[grpc.aio.ServicerContext, float] = {}
        self._decoders = ThreadPoolExecutor(_DECODERS, "decode")
        self._endings: set[asyncio.Task[None]] = set()

    async def request(
        self, context: grpc.aio.ServicerContext, parse: Callable[[bytes], Parsed]
    ) -> Parsed:
        """Reads the one message of a call.

        Args:
            context: of the call.
            parse: makes a request of the bytes; large ones are parsed off the event loop.

        Raises:
            ServingError: what `parse` says, or that the message did not come in time.
        """
        if self._slots.locked():
            self._make_room()
        async with self._slots:
            message = await self._read(context)
            if len(message) < _SMALL:
                return parse(message)
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._decoders, parse, message)

    def close(self) -> None:
        """Ends the threads."""
        self._decoders.shutdown()

    async def _read(self, context: grpc.aio.ServicerContext) -> bytes:
        loop = asyncio.get_running_loop()
        self._reading[context] = loop.time()
        timer = loop.call_later(self._seconds, self._give_up, context)
        try:
            message = await context.read()
        finally:
            timer.cancel()
            del self._reading[context]
        if message is grpc.aio.EOF:
            message = "The request did not come in time."
            raise ServingError(grpc.StatusCode.DEADLINE_EXCEEDED, message)
        return bytes(message)

    def _make_room(self) -> None:
        """Drops the request that has been coming for longest, if that is long."""
        now = asyncio.get_running_loop().time()
        for context, began in self._reading.items():
            if now - began > _PATIENCE:
                self._give_up(context)
                return

    def _give_up(self, context: grpc.aio.ServicerContext) -> None:
        # To end the call ends the read too; a read that is cancelled would leave its memory behind.
        ending = asyncio.ensure_future(_end(context))
        self._endings.add(ending)
        ending.add_done_callback(self._endings.discard)


async def _end(context: grpc.aio.ServicerContext) -> None:
    try:
        await context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "The request did not come in time.")
    except grpc.aio.AbortError:
        return
