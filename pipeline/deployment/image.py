"""The official image of TensorFlow Serving, and whether this machine can run it."""

import shutil
import subprocess
from typing import Final

VERSION: Final = "2.19.1"
_NAME: Final = "tensorflow/serving"
_ASK_SECONDS: Final = 10.0


def image(gpu: bool = False) -> str:
    """Its name, pinned to a version."""
    return f"{_NAME}:{VERSION}{'-gpu' if gpu else ''}"


def obstacle(pull_seconds: float) -> str | None:
    """Why the image cannot run here; None if it can. Pulls it where it is missing.

    Args:
        pull_seconds: to wait for the pull.
    """
    if shutil.which("docker") is None:
        return "Docker is not installed"
    if not _succeeds(["docker", "version"], _ASK_SECONDS):
        return "no Docker engine answers"
    if _succeeds(["docker", "image", "inspect", image()], _ASK_SECONDS):
        return None
    if not _succeeds(["docker", "pull", "--quiet", image()], pull_seconds):
        return f"the image {image()} cannot be pulled within {pull_seconds:g} s"
    return None


def _succeeds(command: list[str], seconds: float) -> bool:
    try:
        done = subprocess.run(
            command, timeout=seconds, capture_output=True, stdin=subprocess.DEVNULL, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
