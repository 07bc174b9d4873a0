"""Which Graft and which libraries a run was made with."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path
from typing import Final

_LIBRARIES: Final = (
    "tensorflow",
    "keras",
    "tfx",
    "keras-tuner",
    "tensorflow-serving-api",
    "apache-beam",
    "numpy",
    "pillow",
)


def versions() -> dict[str, str]:
    """Name to version, with the commit of Graft's checkout where there is one."""
    found = {"graft": _graft(), "python": platform.python_version()}
    return found | {name: importlib.metadata.version(name) for name in _LIBRARIES}


def _graft() -> str:
    try:
        version = importlib.metadata.version("graft")
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():  # git would look further up, in whose checkout it may lie
        return version
    command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return version
    commit = done.stdout.strip()
    return f"{version} ({commit})" if done.returncode == 0 and commit else version
