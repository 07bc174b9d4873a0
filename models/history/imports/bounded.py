"""Reads what anybody may have left in a file or folder, within bounds set beforehand."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from models.byte_order_mark import decoded
from models.history.imports.foreign_past import ForeignPastError
from models.history.tuning_history import MAX_BYTES
from models.storage.locations import MOST_FILES, read_place
from models.storage.place_error import PlaceError

_T = TypeVar("_T")

MOST_BYTES = 4 * MAX_BYTES
"""Of all files of one past together."""


@dataclass
class Reader:
    """Reads the files of one past; the bound is for all of them together.

    Attributes:
        left: bytes that may still be read.
    """

    left: int = MOST_BYTES

    def bytes(self, path: Path) -> bytes:
        """The content of a file.

        Raises:
            ForeignPastError: it cannot be read, or is too much.
        """
        if self.left <= 0:
            raise ForeignPastError(
                f"{path}: of one past at most {MOST_BYTES >> 20} MiB are read; name a part of it"
            )
        try:
            content = read_place(str(path), MAX_BYTES)
        except PlaceError as error:
            raise ForeignPastError(str(error)) from None
        self.left -= len(content)
        return content

    def text(self, path: Path) -> str:
        """The content of a file in UTF-8, or in what its byte order mark says.

        Raises:
            ForeignPastError: it cannot be read, is too much, or is no text.
        """
        try:
            return decoded(self.bytes(path))
        except ValueError as error:
            raise ForeignPastError(f"{path}: {error}") from None

    def json(self, path: Path) -> object:
        """The content of a JSON file.

        Raises:
            ForeignPastError: it cannot be read, is too much, or is no JSON.
        """
        return parse_json(self.text(path), str(path))


def read_each(
    reader: Reader, places: Sequence[Path], read: Callable[[Path], _T]
) -> tuple[dict[Path, _T], list[str]]:
    """Reads the trials of a past, of which a tuner that was killed may leave a damaged one.

    Args:
        reader: that `read` reads with.
        places: file or folder of each trial.
        read: reads one of them.

    Returns:
        What was read, by its place, and a note where some could not be.

    Raises:
        ForeignPastError: none can be read, or all together are too much.
    """
    found: dict[Path, _T] = {}
    damaged: list[ForeignPastError] = []
    for place in places:
        part = _tried(read, place)
        if not isinstance(part, ForeignPastError):
            found[place] = part
        elif reader.left <= 0:
            raise part
        else:
            damaged.append(part)
    if damaged and not found:
        raise damaged[0]
    if len(damaged) > 1:
        return found, [f"{len(damaged)} trials were passed over, such as {damaged[0]}."]
    return found, [f"A trial was passed over: {each}." for each in damaged]


def _tried(read: Callable[[Path], _T], place: Path) -> _T | ForeignPastError:
    try:
        return read(place)
    except ForeignPastError as error:
        return error


def parse_json(text: str, where: str) -> object:
    """Reads JSON; NaN and infinities, which many tuners write, are taken for what they are.

    Raises:
        ForeignPastError: it is none.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise ForeignPastError(f"{where}: is no JSON, or was cut short") from None


def folders_in(folder: Path) -> Iterator[Path]:
    """The folders in a folder, in alphabetical order; hidden ones and links are passed over.

    Raises:
        ForeignPastError: it cannot be listed, or holds more than `MOST_FILES` things.
    """
    yield from (Path(entry.path) for entry in _entries(folder) if _is_folder(entry))


def files_below(folder: Path, depth: int = 4) -> Iterator[tuple[str, Path]]:
    """The files in a folder and in those in it, each with its name from there: "val/loss".

    Args:
        folder: which need not exist.
        depth: of folders in one another that are looked into.

    Raises:
        ForeignPastError: as `folders_in`.
    """
    if not folder.is_dir():
        return
    yield from ((each.name, Path(each.path)) for each in _entries(folder) if _is_file(each))
    if depth > 0:
        for inner in folders_in(folder):
            for name, path in files_below(inner, depth - 1):
                yield f"{inner.name}/{name}", path


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    found = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                found.append(entry)
                if len(found) > MOST_FILES:
                    raise ForeignPastError(f"{folder}: holds more than {MOST_FILES:,} things")
    except OSError as error:
        raise ForeignPastError(f"{folder}: {error.strerror or error}") from None
    return sorted(found, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)


def _is_file(entry: os.DirEntry[str]) -> bool:
    return not entry.name.startswith(".") and entry.is_file(follow_symlinks=False)
