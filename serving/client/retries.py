"""When to ask again: only where it is safe, may help, and there is time.

A prediction changes nothing, so that asking twice is safe. Delays grow by two and are drawn anew
each time, so that the clients of a server that comes back do not all come at once.

Reference: Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015 ("full jitter").
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from serving.client.errors import UnansweredError, Why

_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 3.0
_MOST_BROKEN: Final = 2
"""Times that a request is sent again after a broken connection: it may be what breaks it."""
_STRANGERS_SECONDS: Final = 1.0
"""How long an address is tried that never answered: it may well be a wrong one."""

_Answered = TypeVar("_Answered")


@dataclass
class Retries:
    """Asks again; shared by all requests of a client.

    Attributes:
        is_on: whether to ask more than once.
        has_answered: whether the address ever answered anything.
        chance: for the delays.
        now: the clock of the deadlines.
        sleep: waits for so many seconds.
    """

    is_on: bool = True
    has_answered: bool = False
    chance: random.Random = field(default_factory=random.Random)
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def ask(
        self, attempt: Callable[[float], Awaitable[_Answered]], deadline: float
    ) -> _Answered:
        """Makes attempts until one is answered, refused, or none is worth it any more.

        Args:
            attempt: asks once, within so many seconds.
            deadline: of the clock; nothing is waited for beyond it.

        Raises:
            PredictionError: the last attempt's.
        """
        started = self.now()
        number = broken = 0
        while True:
            try:
                answer = await attempt(max(deadline - self.now(), 0.0))
            except UnansweredError as error:
                broken += error.why is Why.BROKEN
                self.has_answered |= error.why is Why.BUSY
                end = deadline if self.has_answered else min(deadline, started + _STRANGERS_SECONDS)
                delay = max(error.wait, self._delay(number))
                if not self.is_on or broken > _MOST_BROKEN or self.now() + delay >= end:
                    raise error.final from error
            else:
                self.has_answered = True
                return answer
            number += 1
            await self.sleep(delay)

    def _delay(self, number: int) -> float:
        """Seconds to wait after attempt `number`, from 0."""
        return self.chance.uniform(0.0, min(_LONGEST_DELAY, _FIRST_DELAY * 2.0 ** min(number, 16)))
