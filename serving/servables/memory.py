"""Memory: how much is reserved, and what goes back to the system when a model or request leaves."""

import ctypes
import gc
import threading
from typing import Final

_MUCH: Final = 32 * 2**20
_WAIT_SECONDS: Final = 0.5
_ARENAS: Final = 4
_ARENA_MAX: Final = -8
"""`M_ARENA_MAX` of glibc's malloc.h."""


def hold_few_arenas() -> None:
    """Has the C library allocate from a few arenas, not from eight for each core.

    For the start of a server, before there are threads. An arena reserves 64 MB, and keeps what is
    free in it from all others: with one for each thread that loads a version or waits for a
    request, a server that swaps versions reaches a limit of 2 GB with half of it unused.
    """
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        set_option(_ARENA_MAX, _ARENAS)


def keep_what_is_imported() -> None:
    """Takes all objects that there are out of the garbage collector's sight, for good.

    For the start of a server, before a model is loaded: TensorFlow's modules are a million objects,
    and looking through them at every unload would hold up requests for half a second.
    """
    gc.collect()
    gc.freeze()


def give_back_memory() -> None:
    """Frees what unreachable cycles hold, as a TensorFlow graph does, and returns it.

    The C library would keep freed pages of a model for the next one, and of a large request for
    ever.
    """
    gc.collect()
    _trim()


class LargeRequests:
    """Gives back what large requests leave, a moment after they are done.

    To look through all that is free takes hundredths of a second, so that it is not done for each.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._left = 0
        self._is_due = False

    def leave(self, size: int) -> None:
        """Notes that a request of so many bytes is done."""
        with self._lock:
            self._left += size
            if self._left < _MUCH or self._is_due:
                return
            self._is_due = True
        timer = threading.Timer(_WAIT_SECONDS, self._give_back)
        timer.daemon = True
        timer.start()

    def _give_back(self) -> None:
        with self._lock:
            self._left, self._is_due = 0, False
        _trim()


def _trim() -> None:
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
