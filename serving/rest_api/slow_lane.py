"""A thread for what is too large for the event loop."""

import asyncio
import gc
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import grpc

from serving.errors import ServingError, without_frames
from serving.inference.deadline import Deadline

_T = TypeVar("_T")


class SlowLane:
    """One thread: what is large comes one after the other, so that only one is in memory."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "rest-slow")

    async def do(self, work: Callable[[], _T], deadline: Deadline) -> _T:
        """Does `work`, and takes it back if it has not begun in time.

        Raises:
            ServingError: what `work` raises, or the deadline has passed.
        """
        loop = asyncio.get_running_loop()
        return await in_time(loop.run_in_executor(self._thread, _uncollected, work), deadline)

    def close(self) -> None:
        """Ends the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)


async def in_time(waiting: Awaitable[_T], deadline: Deadline) -> _T:
    """Waits for an answer until the deadline.

    Raises:
        ServingError: it has passed.
    """
    try:
        return await asyncio.wait_for(waiting, deadline.remaining())
    except asyncio.TimeoutError:
        message = "The answer was not there in time (--rest_api_timeout_in_ms)."
        raise ServingError(grpc.StatusCode.DEADLINE_EXCEEDED, message) from None


def _uncollected(work: Callable[[], _T]) -> _T:
    """Does `work` without the garbage collector.

    A million lists of JSON have it look through all of them again and again, while every other
    thread waits; that takes five times as long as to parse them. They are no garbage, and are freed
    before it goes on.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        return work()
    except ServingError as error:
        refusal = without_frames(error)
    finally:
        if was_enabled:
            gc.enable()
    raise refusal
