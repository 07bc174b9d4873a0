"""The file that the name of an image stands for, in a manifest or in what ingest wrote."""

import os
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.entries import printable
from components.example_gen.sources.file_kinds import has_image_suffix

_ENDINGS = ("jpg", "jpeg", "png", "webp", "bmp", "tif", "tiff", "gif")
_MOST_PARTS = 20


def images_folder(path: str, settings: IngestSettings) -> Path:
    """The folder that the names of a source's images are relative to.

    Args:
        path: of the folder, manifest or TFRecord file.
        settings: may name another one for a manifest.
    """
    if Path(path).is_dir():
        return Path(path)
    return Path(settings.images or Path(path).parent)


def file_of_name(folder: Path, name: str, settings: IngestSettings) -> str:
    r"""Finds the file of an image.

    Its name is its path as one printable line, with `\n` for a line break, or what a manifest calls
    it.

    Args:
        folder: that the name is relative to.
        name: of the image.
        settings: of the source.

    Returns:
        The path; empty where there is no such file, or its path is no UTF-8, which no manifest
        holds.
    """
    ways = [folder / name, *(folder / other for other in other_ways(name, settings))]
    if "\\" in name:
        ways.append(_by_its_parts(folder, name))
    found = next((str(path) for path in ways if path.is_file()), "")
    return found if _is_utf8(found) else ""


def other_ways(path: str, settings: IngestSettings) -> Iterator[str]:
    """Other ways to write a path, of which the program that made a manifest may have used one.

    Windows writes backslashes, macOS decomposes accents, and most keyboards compose them; many
    lists leave out the ending of a name, or its case. Where `data.images` names the folder of the
    images, the beginning of the path may be that of another machine.

    Args:
        path: as a manifest has it.
        settings: of the source.

    Yields:
        The likeliest first.
    """
    path = path.replace("\\", "/")
    forms = (path, unicodedata.normalize("NFC", path), unicodedata.normalize("NFD", path))
    for form in dict.fromkeys(forms):
        yield from _endings(form)
        if settings.images:
            for end in _ends(form):
                yield end
                yield from _endings(end)


def _endings(path: str) -> Iterator[str]:
    yield path
    if not has_image_suffix(path):
        yield from (f"{path}.{case(ending)}" for case in (str, str.upper) for ending in _ENDINGS)
        return
    stem, _, ending = path.rpartition(".")
    yield from (f"{stem}.{other}" for other in (ending.lower(), ending.upper()) if other != ending)


def _ends(path: str) -> Iterator[str]:
    """The path without its root, without its first folder, without its first two, and so on."""
    parts = [part for part in path.split("/") if part not in ("", ".", "..")][-_MOST_PARTS:]
    yield from ("/".join(parts[at:]) for at in range(len(parts)))


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
