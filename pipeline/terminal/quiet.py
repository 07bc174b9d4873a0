"""Keeps the terminal for people: everything else that writes to it goes to the log file."""

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
    "TF_ENABLE_ONEDNN_OPTS": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1"),
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
    terminal = os.fdopen(os.dup(saved[1]), "w", buffering=1, encoding="utf-8", errors="replace")
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
        sys.stdout.flush()
        sys.stderr.flush()
        root.removeHandler(handler)
        root.setLevel(level)
        for saved_descriptor, descriptor in zip(saved, (1, 2), strict=True):
            os.dup2(saved_descriptor, descriptor)
            os.close(saved_descriptor)
        os.close(target)
        terminal.close()
