"""When the memory of large requests goes back."""

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
