"""A folder that one process at a time works in."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.errors import WorkspaceBusyError


@contextmanager
def alone(lock: Path, otherwise: str) -> Iterator[None]:
    """Holds a lock; the kernel lets go of it even after a kill.

    Args:
        lock: its file, which is made with its folder if it is missing.
        otherwise: what is said where another process holds it.

    Raises:
        WorkspaceBusyError: another process holds it.
        OSError: the file cannot be made.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise WorkspaceBusyError(otherwise) from None
        yield
    finally:
        os.close(file)
