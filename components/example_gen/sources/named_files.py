"""The file that the name of an image stands for, in a manifest or in what ingest wrote."""

import os
import unicodedata
from functools import lru_cache
from pathlib import Path

from components.example_gen.sources.entries import printable


def file_of_name(folder: Path, name: str) -> str:
    r"""Finds the file of an image.

    Its name is its path as one printable line, with `\n` for a line break, or what a manifest calls
    it.

    Args:
        folder: that the name is relative to.
        name: of the image.

    Returns:
        The path; empty where there is no such file, or its path is no UTF-8, which no manifest
        holds.
    """
    ways = [folder / name, *(folder / other for other in other_ways(name))]
    if "\\" in name:
        ways.append(_by_its_parts(folder, name))
    found = [str(path) for path in ways if path.is_file()]
    return found[0] if found and _is_utf8(found[0]) else ""


def other_ways(path: str) -> list[str]:
    """Other ways to write a path, of which the program that made a manifest may have used one.

    Windows writes backslashes, macOS decomposes accents, and most keyboards compose them.
    """
    path = path.replace("\\", "/")
    ways = (path, unicodedata.normalize("NFC", path), unicodedata.normalize("NFD", path))
    return list(dict.fromkeys(ways))


def _by_its_parts(folder: Path, name: str) -> Path:
    path = folder
    for part in Path(name).parts:
        path /= _entries(path).get(part, part)
    return path


@lru_cache(maxsize=64)
def _entries(folder: Path) -> dict[str, str]:
    """What lies in a folder, by its printable name."""
    try:
        return {printable(entry): entry for entry in os.listdir(folder)}  # noqa: PTH208
    except OSError:
        return {}


def _is_utf8(path: str) -> bool:
    return path.encode(errors="replace").decode() == path
