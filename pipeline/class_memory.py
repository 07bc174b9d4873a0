"""What a workspace remembers of the images of the classes that its schema knows."""

import hashlib
from pathlib import Path
from typing import Final

from components.image_register import REGISTER_FILE
from models.storage.atomic_write import write_atomically
from pipeline.workspace import Workspace

_FORGOTTEN: Final = "forgotten"


def folder(workspace: Workspace) -> Path:
    """Where `components.image_validator` keeps it."""
    return workspace.cache / "classes"


def forget(workspace: Workspace) -> None:
    """Has the next run look at its images as a first one does, whatever it found before.

    Raises:
        OSError: the folder cannot be written.
    """
    register = folder(workspace) / REGISTER_FILE
    digest = hashlib.sha256(register.read_bytes()).hexdigest()
    write_atomically(folder(workspace) / _FORGOTTEN, digest.encode())
    register.unlink()


def forgotten(workspace: Workspace) -> str:
    """What was forgotten last; empty for nothing yet."""
    path = folder(workspace) / _FORGOTTEN
    return path.read_text(encoding="ascii") if path.exists() else ""
