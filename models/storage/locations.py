"""Files that lie in a folder of this machine or in a bucket.

A place is a path, or a URI that TensorFlow can read and write: `gs://bucket/folder`. TensorFlow is
imported for the latter alone.
"""

import os
from pathlib import Path
from typing import Any

from models.errors import GraftError
from models.storage.atomic_write import write_atomically

MOST_FILES = 10_000
"""A folder that holds more is taken for a mistake, such as the root of a disk."""


class PlaceError(GraftError):
    """A file or folder that cannot be listed, read or written."""


def is_remote(place: str) -> bool:
    """Whether a place is a URI and not a path."""
    return "://" in place


def join(folder: str, name: str) -> str:
    """The place of a file in a folder."""
    return f"{folder.rstrip('/')}/{name}"


def files_in(place: str, suffix: str) -> list[str]:
    """The files of a folder and of all folders in it, or the one file that the place is.

    Hidden files and folders are passed over, and links to folders are not followed.

    Args:
        place: a file, whatever its name, or a folder.
        suffix: that the names in a folder must end with.

    Returns:
        Places in alphabetical order.

    Raises:
        PlaceError: there is nothing, it cannot be listed, or it holds more than `MOST_FILES`.
    """
    folders = _remote_folders(place) if is_remote(place) else _local_folders(place)
    if folders is None:
        return [place]
    found: list[str] = []
    for folder, names in folders:
        found += [join(folder, name) for name in names if _is_wanted(name, suffix)]
        if len(found) > MOST_FILES:
            raise PlaceError(f"{place}: more than {MOST_FILES:,} {suffix} files")
    return sorted(found)


def read_place(place: str, most_bytes: int) -> bytes:
    """The content of a file.

    Args:
        place: of the file.
        most_bytes: that it may have.

    Raises:
        PlaceError: it is larger, is no file, or cannot be read.
    """
    content = _read_remote(place, most_bytes) if is_remote(place) else _read(place, most_bytes)
    if len(content) > most_bytes:
        raise PlaceError(f"{place}: larger than {most_bytes >> 20} MiB")
    return content


def write_place(place: str, content: bytes) -> None:
    """Writes a file and the folders above it; in a folder of this machine in one step.

    Raises:
        PlaceError: it cannot be written.
    """
    try:
        if is_remote(place):
            _write_remote(place, content)
        else:
            write_atomically(Path(place), content)
    except OSError as error:
        raise PlaceError(f"{place}: {error.strerror or error}") from error


_Folders = list[tuple[str, list[str]]]


def _is_wanted(name: str, suffix: str) -> bool:
    return name.endswith(suffix) and not name.startswith(".")


def _local_folders(place: str) -> _Folders | None:
    """Folders with the names of their files; None where the place is a file."""
    try:
        if not Path(place).is_dir():
            Path(place).stat()
            return None
        # `os.walk` alone passes over what it may not list.
        os.listdir(place)  # noqa: PTH208
    except OSError as error:
        raise PlaceError(f"{place}: {error.strerror or error}") from error
    folders: _Folders = []
    for folder, inner, names in os.walk(place):
        inner[:] = [name for name in inner if not name.startswith(".")]
        folders.append((folder, names))
    return folders


def _read(path: str, most_bytes: int) -> bytes:
    try:
        if not Path(path).is_file():
            # A pipe or a device would be waited for.
            Path(path).stat()
            raise PlaceError(f"{path}: is a folder or a device, not a file")
        with Path(path).open("rb") as file:
            return file.read(most_bytes + 1)
    except OSError as error:
        raise PlaceError(f"{path}: {error.strerror or error}") from error


def _gfile() -> Any:
    import tensorflow as tf

    return tf.io.gfile


def _remote_errors() -> tuple[type[Exception], ...]:
    import tensorflow as tf

    # A name that is not UTF-8 is a ValueError.
    return (tf.errors.OpError, ValueError)


def _remote_folders(place: str) -> _Folders | None:
    gfile, folders = _gfile(), []
    try:
        if not gfile.isdir(place):
            gfile.stat(place)
            return None
        for folder, inner, names in gfile.walk(place):
            inner[:] = [name for name in inner if not name.startswith(".")]
            folders.append((folder, [name.rstrip("/") for name in names]))
    except _remote_errors() as error:
        raise PlaceError(f"{place}: {_words(error)}") from error
    return folders


def _read_remote(uri: str, most_bytes: int) -> bytes:
    try:
        with _gfile().GFile(uri, "rb") as file:
            return bytes(file.read(most_bytes + 1))
    except _remote_errors() as error:
        raise PlaceError(f"{uri}: {_words(error)}") from error


def _write_remote(uri: str, content: bytes) -> None:
    try:
        # A file system with folders needs this; an object appears when it is closed.
        _gfile().makedirs(uri.rpartition("/")[0])
        with _gfile().GFile(uri, "wb") as file:
            file.write(content)
    except _remote_errors() as error:
        raise PlaceError(f"{uri}: {_words(error)}") from error


def _words(error: Exception) -> str:
    lines = str(getattr(error, "message", "") or error).strip().splitlines()
    return lines[0][:300] if lines else type(error).__name__
