"""Folders that are copied, or kept one at a time."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any


def copy_folder(
    source: Path, target: Path, copy_file: Callable[[Path, Path], Any] = shutil.copy2
) -> None:
    """Copies a folder with all below it, up to the first file that cannot be.

    `shutil.copytree` goes on to the end of a full disk, and its error, a list of all files, has
    neither a number nor words for a person.

    Args:
        source: a folder; what its links lead to is copied.
        target: to make.
        copy_file: copies one file.

    Raises:
        OSError: of the first file or folder that cannot be read or written.
    """
    target.mkdir(parents=True)
    for path in sorted(source.iterdir()):
        copy = partial(copy_folder, copy_file=copy_file) if path.is_dir() else copy_file
        copy(path, target / path.name)
    shutil.copystat(source, target)


def delete_others(folder: Path) -> None:
    """Deletes the folders beside one, which need not exist; what cannot be deleted stays.

    Args:
        folder: to keep.
    """
    for other in folder.parent.glob("*"):
        if other.is_dir() and other != folder:
            shutil.rmtree(other, ignore_errors=True)
