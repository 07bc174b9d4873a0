"""Ctrl-C that no library can swallow, and SIGTERM that does the same."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def sigterm_as_ctrl_c() -> Iterator[None]:
    """Has SIGTERM, by which containers and schedulers stop a program, end it as Ctrl-C does.

    The first process of a container would not even notice it otherwise, and be killed. Whoever has
    a handler for SIGTERM keeps it.
    """
    before = signal.getsignal(signal.SIGTERM)
    is_main = threading.current_thread() is threading.main_thread()
    if before is not signal.SIG_DFL or not is_main:
        yield
        return
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _interrupt(*arguments: Any) -> None:
    noted = signal.getsignal(signal.SIGINT)
    if callable(noted):
        noted(*arguments)
    raise KeyboardInterrupt


class Interrupts:
    """Notices SIGINT while the `with` block runs, and ends it with KeyboardInterrupt.

    Python raises KeyboardInterrupt wherever the main thread happens to be, and some libraries
    catch all that comes, for instance while they try what can be imported.
    """

    def __init__(self) -> None:
        self._came = False
        self._before = signal.getsignal(signal.SIGINT) or signal.SIG_DFL

    def __enter__(self) -> "Interrupts":
        # A shell starts jobs in the background with SIGINT ignored; so it stays.
        if self._before is not signal.SIG_IGN:
            signal.signal(signal.SIGINT, self._note)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)
        self.check()

    def check(self) -> None:
        """Call between steps.

        Raises:
            KeyboardInterrupt: there was a SIGINT.
        """
        if self._came:
            raise KeyboardInterrupt

    def _note(self, *_: object) -> None:
        self._came = True
        raise KeyboardInterrupt
