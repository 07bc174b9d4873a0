"""When the memory of large requests goes back."""

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from serving.servables import memory

MEGABYTE = 2**20


class Later:
    """What is to be done in a moment, which the test says when it has come."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.due: list[Callable[[], None]] = []
        self.trims = 0
        later = self

        class Timer:
            def __init__(self, _: float, action: Callable[[], None]) -> None:
                self.action = action

            def start(self) -> None:
                later.due.append(self.action)

        def trim() -> None:
            self.trims += 1

        monkeypatch.setattr(threading, "Timer", Timer)
        monkeypatch.setattr(memory, "_trim", trim)


def test_it_goes_back_once_enough_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    later, large = Later(monkeypatch), memory.LargeRequests()
    for _ in range(31):
        large.leave(MEGABYTE)
    assert not later.due
    large.leave(MEGABYTE)
    assert (len(later.due), later.trims) == (1, 0)
    later.due.pop()()
    assert later.trims == 1


def test_what_is_left_meanwhile_goes_along(monkeypatch: pytest.MonkeyPatch) -> None:
    later, large = Later(monkeypatch), memory.LargeRequests()
    large.leave(40 * MEGABYTE)
    large.leave(40 * MEGABYTE)
    assert len(later.due) == 1
    later.due.pop()()
    large.leave(40 * MEGABYTE)
    assert len(later.due) == 1


THREADS_THAT_ALLOCATE = """
import ctypes, sys, threading
from serving.servables.memory import hold_few_arenas

if sys.argv[1] == "few":
    hold_few_arenas()
library, start = ctypes.CDLL(None), threading.Barrier(12)

def allocate():
    start.wait()
    library.malloc(1000)
    start.wait()

threads = [threading.Thread(target=allocate) for _ in range(12)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
library.malloc_info(0, ctypes.c_void_p.in_dll(library, "stdout"))
library.fflush(None)
"""


@pytest.mark.parametrize(("arenas", "few"), [("few", True), ("many", False)])
def test_few_arenas_are_reserved_however_many_threads_there_are(arenas: str, few: bool) -> None:
    command = [sys.executable, "-c", THREADS_THAT_ALLOCATE, arenas]
    seen = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert (seen.count("<heap nr=") <= 4) == few
