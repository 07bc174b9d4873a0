"""Where the bytes of images lie that a server was told to keep."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

IMAGES: Final = "images"
"""Folder of the request log that holds them."""
UNFINISHED: Final = ".unfinished"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


def kept_image_path(folder: Path, digest: str) -> Path:
    """The file of an image.

    Args:
        folder: of the request log.
        digest: SHA-256 of its bytes, hex.
    """
    return folder / IMAGES / digest[:2] / digest


def kept_image(folder: Path, digest: str) -> bytes | None:
    """The bytes of an image as they were sent; None where they were not kept, or are gone."""
    if not _DIGEST.fullmatch(digest):
        return None
    try:
        return kept_image_path(folder, digest).read_bytes()
    except OSError:
        return None


def image_files(folder: Path) -> Iterator[Path]:
    """The files of all kept images, those that were not finished among them; no others'.

    Args:
        folder: of the request log.
    """
    for path in (folder / IMAGES).glob("??/*"):
        if _DIGEST.fullmatch(path.name.removesuffix(UNFINISHED)):
            yield path
