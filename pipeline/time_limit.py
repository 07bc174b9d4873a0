"""The end of a run by the clock: `limits.minutes`."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from pydantic import Field

from models.errors import UsageError
from models.settings import Section

_YEAR = 366 * 24 * 60
"""In minutes. A clock of the system takes no number without end."""


class LimitSettings(Section):
    """What a run may take."""

    minutes: Annotated[float, Field(gt=0.0, le=_YEAR)] | None = None
    """After so many minutes a run ends by itself, with exit code 6. What is done is kept, and the
    next run goes on from there. Empty: no limit."""


class OutOfTime(BaseException):
    """The minutes are over.

    No `Exception`: what tries things, such as a search, takes those for failures of what it tried.
    """


class TimeLimit:
    """Ends the `with` block with `OutOfTime` when its minutes are over."""

    def __init__(self, minutes: float | None) -> None:
        """Takes the limit.

        Args:
            minutes: from the beginning of the block; None for no limit.
        """
        self._seconds = 0.0 if minutes is None else minutes * 60
        self._came = False
        self._before = signal.getsignal(signal.SIGALRM) or signal.SIG_DFL

    def __enter__(self) -> "TimeLimit":
        if self._seconds and threading.current_thread() is not threading.main_thread():
            raise UsageError(
                "limits.minutes: expected a run in the program's main thread, where alone a clock "
                "can interrupt it. Leave the limit out, or begin the run there."
            )
        if self._seconds:
            signal.signal(signal.SIGALRM, self._note)
            signal.setitimer(signal.ITIMER_REAL, self._seconds)
        return self

    def __exit__(self, *_: object) -> None:
        if self._seconds:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, self._before)

    def check(self) -> None:
        """Call between steps, as a library may have swallowed what was raised within one.

        Raises:
            OutOfTime: the minutes are over.
        """
        if self._came:
            raise OutOfTime

    @contextmanager
    def even_if_wrapped(self) -> Iterator[None]:
        """Ends a block within with `OutOfTime` where a library made an error of its own of it.

        Beam makes a `RuntimeError` of whatever is raised in its steps.
        """
        try:
            yield
        except Exception:
            self.check()
            raise

    def _note(self, *_: object) -> None:
        self._came = True
        raise OutOfTime
