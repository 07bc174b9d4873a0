"""The process that writes a shard, where Beam runs it elsewhere than the run."""

import os
import socket
from pathlib import Path
from typing import Final

from components.code_fingerprint import code_fingerprint
from models.errors import GraftError

IN_THIS_PROCESS: Final = "--direct_running_mode=in_memory"
"""Argument that has Beam do all its work in the process of the run, with one worker."""


def process_name() -> str:
    """The machine and the process that this is called in, in words."""
    return f"{socket.gethostname()} (process {os.getpid()})"


def check_worker(code: str, image: str) -> None:
    """Refuses a worker that would write other records than the run itself.

    Args:
        code: of the component, as the run has it; empty where nobody says.
        image: path of one of the images.

    Raises:
        GraftError: its Graft is another, or it does not see the data.
    """
    if code and code_fingerprint("components.example_gen") != code:
        raise GraftError(
            f"The Beam worker {process_name()} has another Graft, or other versions of its "
            "libraries, than the run. Give both the same environment, and start the pool again."
        )
    if not Path(image).exists():
        raise GraftError(
            f"The Beam worker {process_name()} does not see {image}. Every worker needs the data "
            "and the workspace at the same paths as the run."
        )
