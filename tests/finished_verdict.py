"""What the Judge found in a run that has ended."""

from components.judge.forgetting import ClassMemory, Forgetting
from components.judge.occlusion import Shortcut


def forgetting(label: str) -> Forgetting:
    """A class that is known less well than before."""
    interval = (0.05, 0.25)
    memory = ClassMemory(label, 60, 0.9, 0.75, 0.15, interval)
    return Forgetting(60, 0.9, 0.75, 0.15, interval, classes=(memory,), lost=())


def shortcuts(label: str) -> tuple[Shortcut, ...]:
    """A class that is answered by a corner."""
    return (Shortcut(label, "bottom, right", 8, 0.9, 0.1, 0.8),)
