"""Folders that are kept one at a time."""

import shutil
from pathlib import Path


def delete_others(folder: Path) -> None:
    """Deletes the folders beside one, which need not exist; what cannot be deleted stays.

    Args:
        folder: to keep.
    """
    for other in folder.parent.glob("*"):
        if other.is_dir() and other != folder:
            shutil.rmtree(other, ignore_errors=True)
