"""Progress of long work, told to whoever listens.

Work says how far it is with `report`; the terminal (or nobody) listens. Calls are cheap and
thread-safe, and an absent listener costs nothing, so library code may call it freely.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one stage is.

    Attributes:
        done: units finished so far.
        total: units in all, or None when unknown.
        unit: plural noun, such as "images", "trials" or "epochs".
        note: a few words more, such as "validation accuracy 0.91".
        is_lasting: whether the note is to stay in sight.
    """

    done: int
    total: int | None
    unit: str
    note: str = ""
    is_lasting: bool = False


Listener = Callable[[Progress], None]
_listeners: list[Listener] = []


def report(
    done: int, total: int | None, unit: str, note: str = "", *, is_lasting: bool = False
) -> None:
    """Tells the listeners that `done` of `total` units are finished; see `Progress`."""
    for listener in tuple(_listeners):
        listener(Progress(done, total, unit, note, is_lasting))


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Calls `listener` on every report made inside the block, from any thread."""
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)
