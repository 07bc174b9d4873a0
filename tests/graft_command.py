"""Runs the `graft` command as a user does, and holds every answer to what all of them keep."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pipeline.cli import main

GRAFT = [sys.executable, "-m", "pipeline.cli"]
LIMIT_SECONDS = 900.0
"""Against a command that hangs; a busy machine may take long."""


@dataclass(frozen=True)
class Answer:
    """What a command said; never a traceback."""

    code: int
    out: str
    err: str

    def __post_init__(self) -> None:
        assert "Traceback" not in self.out + self.err, self.out + self.err

    @property
    def summary(self) -> dict[str, Any]:
        """The one JSON document on standard output of `graft run --json`."""
        document: dict[str, Any] = json.loads(self.out)
        return document


Here = Callable[..., Answer]
"""`graft_here` with its folder given."""


def graft(*arguments: str | bytes | Path, **environment: str) -> Answer:
    """Runs one command to its end."""
    done = subprocess.run(
        [*GRAFT, *arguments],
        check=False,
        capture_output=True,
        text=True,
        errors="backslashreplace",
        timeout=LIMIT_SECONDS,
        env={**os.environ, **environment},
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def graft_here(folder: Path, *arguments: str | Path) -> Answer:
    """Runs one command in this process, so that TFX is imported once for many that end early.

    Args:
        folder: for what it says.
        arguments: of the command.
    """
    told = [folder / "stdout.txt", folder / "stderr.txt"]
    saved = os.dup(1), os.dup(2)
    with ExitStack() as stack:
        for descriptor, file in enumerate(told, start=1):
            stack.callback(os.dup2, saved[descriptor - 1], descriptor)
            target = stack.enter_context(file.open("wb"))
            os.dup2(target.fileno(), descriptor)
        for redirect, descriptor in ((redirect_stdout, 1), (redirect_stderr, 2)):
            stream = stack.enter_context(
                open(descriptor, "w", encoding="utf-8", errors="replace", closefd=False)
            )
            stack.enter_context(redirect(stream))
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as stop:  # argparse
            code = int(stop.code or 0)
    for descriptor in saved:
        os.close(descriptor)
    return Answer(code, *(file.read_text("utf-8") for file in told))


def start(*arguments: str | Path) -> subprocess.Popen[str]:
    """Starts a command in a process group of its own."""
    return subprocess.Popen(
        [*GRAFT, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


class Started(Protocol):
    """A command that was started."""

    returncode: int | Any

    def communicate(self, *, timeout: float) -> tuple[str, str]: ...


def finish(process: Started) -> Answer:
    """Waits for the end of a command that was started."""
    out, err = process.communicate(timeout=LIMIT_SECONDS)
    return Answer(process.returncode, out, err)


def await_that(holds: Callable[[], bool], what: str) -> None:
    """Waits until `holds` does."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        time.sleep(0.05)
