"""Files that lie in a folder of this machine or in a bucket.

A place is a path, or the URI of a file or folder in object storage: `s3://bucket/folder`.
"""

import os
from pathlib import Path

from models.storage.atomic_write import write_atomically
from models.storage.buckets import Bucket
from models.storage.place_error import PlaceError

MOST_FILES = 10_000
"""A folder that holds more is taken for a mistake, such as the root of a disk."""


def is_remote(place: str) -> bool:
    """Whether a place is a URI and not a path."""
    return "://" in place


def join(folder: str, name: str) -> str:
    """The place of a file in a folder."""
    # Without a bucket a URI stays one, which is refused, and does not become a path.
    return f"{folder if folder.endswith('://') else folder.rstrip('/')}/{name}"


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
    found = _in_bucket(place, suffix) if is_remote(place) else _in_folder(place, suffix)
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
    content = Bucket(place).read(most_bytes) if is_remote(place) else _read(place, most_bytes)
    if len(content) > most_bytes:
        raise PlaceError(f"{place}: larger than {most_bytes >> 20} MiB")
    return content


def write_place(place: str, content: bytes) -> None:
    """Writes a file in one step, and the folders above it.

    Raises:
        PlaceError: it cannot be written.
    """
    if is_remote(place):
        Bucket(place).write(content)
        return
    try:
        write_atomically(Path(place), content)
    except OSError as error:
        raise PlaceError(f"{place}: {error.strerror or error}") from error


def _in_bucket(place: str, suffix: str) -> list[str]:
    bucket = Bucket(place)
    if not bucket.is_folder():
        return [place]
    names = bucket.find(lambda name: name.endswith(suffix), MOST_FILES)
    return [join(place, name) for name in names]


def _in_folder(place: str, suffix: str) -> list[str]:
    try:
        if not Path(place).is_dir():
            Path(place).stat()
            return [place]
        # `os.walk` alone passes over what it may not list.
        os.listdir(place)  # noqa: PTH208
    except OSError as error:
        raise PlaceError(f"{place}: {error.strerror or error}") from error
    found: list[str] = []
    for folder, inner, names in os.walk(place):
        inner[:] = [name for name in inner if not name.startswith(".")]
        wanted = (name for name in names if name.endswith(suffix) and not name.startswith("."))
        found += [join(folder, name) for name in wanted]
        if len(found) > MOST_FILES:
            break
    return found


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
