"""The file that a name stands for, which ingest gave to an image."""

import os
from functools import lru_cache
from pathlib import Path

from components.example_gen.sources.entries import printable


def file_of_name(folder: Path, name: str) -> str:
    r"""Finds the file of an image.

    Its name is its path as one printable line, with `\n` for a line break; and `a\b.jpg` of a
    manifest may be `a/b.jpg`.

    Args:
        folder: that the name is relative to.
        name: of the image.

    Returns:
        The path; empty where there is no such file, or its path is no UTF-8, which no manifest
        holds.
    """
    ways = [folder / name]
    if "\\" in name:
        ways += [folder / name.replace("\\", "/"), _by_its_parts(folder, name)]
    found = [str(path) for path in ways if path.is_file()]
    return found[0] if found and _is_utf8(found[0]) else ""


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
