"""Keeps the terminal for people: everything else that writes to it goes to the log file."""

import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

_ENVIRONMENT = {
    # Read by TensorFlow's C++ code when it is imported.
    "TF_CPP_MIN_LOG_LEVEL": "1",
    "GRPC_VERBOSITY": "ERROR",
}


@contextmanager
def output_to(log: Path) -> Iterator[TextIO]:
    """Sends file descriptors 1 and 2, and Python's logging, to `log`.

    C++ libraries write past Python's `sys.stderr`, so the descriptors themselves are replaced.

    Args:
        log: file to append to.

    Yields:
        The terminal (the former standard error), open for text.
    """
    for name, value in _ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    sys.stdout.flush()
    sys.stderr.flush()
    saved = os.dup(1), os.dup(2)
    target = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    terminal = _Terminal(os.dup(saved[1]))
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    root = logging.getLogger()
    level = root.level
    try:
        os.dup2(target, 1)
        os.dup2(target, 2)
        root.addHandler(handler)
        root.setLevel(logging.INFO)
        yield terminal
    finally:
        _flush_or_drop(sys.stdout)
        _flush_or_drop(sys.stderr)
        root.removeHandler(handler)
        root.setLevel(level)
        for saved_descriptor, descriptor in zip(saved, (1, 2), strict=True):
            os.dup2(saved_descriptor, descriptor)
            os.close(saved_descriptor)
        os.close(target)
        terminal.close()


def import_tensorflow() -> None:
    """Imports TensorFlow without its greeting, which no log level keeps off standard error."""
    with output_to(Path(os.devnull)):
        import tensorflow  # noqa: F401


class _Terminal(io.TextIOWrapper):
    """A terminal that may go away: a run does not end with the window that it began in."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(
            io.BufferedWriter(io.FileIO(descriptor, "w")),
            encoding="utf-8",
            errors="replace",
            line_buffering=True,
        )

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError:
            _drop(self)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError:
            _drop(self)


def _flush_or_drop(stream: TextIO) -> None:
    """Flushes a stream that writes to the log; what no longer fits on the disk is dropped."""
    try:
        stream.flush()
    except OSError:
        # Else it would stay in the buffer, and come out on the terminal later.
        _drop(stream)


def _drop(stream: TextIO) -> None:
    """Discards what a stream has buffered, and all that is written to it from now on."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
