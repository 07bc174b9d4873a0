"""What a workspace remembers of the images of the classes that its schema knows."""

import hashlib
from pathlib import Path
from typing import Final

from models.storage.atomic_write import write_atomically
from pipeline.failure import unwritable
from pipeline.workspace import Workspace

_FORGOTTEN: Final = "forgotten"
"""Not in the cache: without it a run would take up what TFX keeps of before it was accepted."""


def folder(workspace: Workspace) -> Path:
    """Where `components.image_validator` keeps it."""
    return workspace.cache / "classes"


def forget(workspace: Workspace) -> None:
    """Has the next run look at its images as a first one does, whatever it found before.

    Raises:
        GraftError: the workspace cannot be written.
    """
    # Imported here: it brings NumPy, and whether a run is needed is said at once.
    from components.image_register import REGISTER_FILE

    register = folder(workspace) / REGISTER_FILE
    try:
        digest = hashlib.sha256(register.read_bytes()).hexdigest()
        write_atomically(_note(workspace), digest.encode())
        register.unlink()
    except OSError as error:
        raise unwritable(error, workspace.root) from None


def forgotten(workspace: Workspace) -> str:
    """What was forgotten last; empty for nothing yet."""
    path = _note(workspace)
    return path.read_text("ascii", "replace") if path.exists() else ""


def _note(workspace: Workspace) -> Path:
    return workspace.root / "schema" / _FORGOTTEN
