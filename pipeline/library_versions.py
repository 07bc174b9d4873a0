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
    found = {"graft": graft_version(), "python": platform.python_version()}
    return found | {name: importlib.metadata.version(name) for name in _LIBRARIES}


def graft_version() -> str:
    """Version of Graft, with the commit of its checkout where there is one."""
    try:
        version = importlib.metadata.version("graft")
    except importlib.metadata.PackageNotFoundError:
        version = "not installed"
    root = Path(__file__).resolve().parent.parent
    if not (root / ".git").exists():  # git would look further up, in whose checkout it may lie
        return version
    try:
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        changed = _git(root, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return version
    return f"{version} ({commit}{'-dirty' if changed else ''})"


def _git(root: Path, *arguments: str) -> str:
    # A lock on the index would stay behind where the run is killed, and stop the user's own git.
    command = ["git", "--no-optional-locks", "-C", str(root), *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=10)
    return done.stdout.strip()
