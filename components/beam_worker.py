"""The process that does a part of the work, where Beam runs it elsewhere than the run."""

import os
import socket
from collections import Counter
from pathlib import Path
from typing import Final

from models.errors import GraftError

IN_THIS_PROCESS: Final = "--direct_running_mode=in_memory"
"""Argument that has Beam do all its work in the process of the run, with one worker."""


def process_name() -> str:
    """The machine and the process that this is called in, in words."""
    return f"{socket.gethostname()} (process {os.getpid()})"


def others(made: Counter[str]) -> dict[str, int]:
    """Numbers by process, sorted; empty where the run's own did all, as it does usually.

    Args:
        made: numbers by `process_name`.
    """
    return {} if set(made) <= {process_name()} else dict(sorted(made.items()))


def check_worker(code: str, own: str, file: str) -> None:
    """Refuses a worker that would write something else than the run itself.

    Args:
        code: `code_fingerprint` of what does the work, as the run has it; empty where nobody says.
        own: the same, as this process has it.
        file: path of one of those that the worker has to read.

    Raises:
        GraftError: its Graft is another, or it does not see the data.
    """
    if code and own != code:
        raise GraftError(
            f"The Beam worker {process_name()} has another Graft, or other versions of its "
            "libraries, than the run. Give both the same environment, and start the pool again."
        )
    if not Path(file).exists():
        raise GraftError(
            f"The Beam worker {process_name()} does not see {file}. Every worker needs the data "
            "and the workspace at the same paths as the run."
        )
