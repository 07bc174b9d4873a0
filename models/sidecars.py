"""Files beside images that were never meant to be one: notes, tables, databases of thumbnails."""

import mimetypes
from pathlib import PurePath
from typing import Final

_OTHERS: Final = frozenset(
    {".db", ".ini", ".jsonl", ".lnk", ".log", ".mat", ".md", ".npy", ".npz", ".pkl", ".tfrecord"}
    | {".toml", ".yaml", ".yml"}
)
"""Endings that no register of media types has."""
# Of Python's own table alone: the machine's register would make machines differ.
_TYPES: Final = mimetypes.MimeTypes()


def is_sidecar(name: str) -> bool:
    """Whether a file's name alone says that it holds no image.

    A name without an ending, or with one that nobody knows, may be of an image.

    Args:
        name: of the file; folders above it say nothing.
    """
    suffix = PurePath(name).suffix.lower()
    if not suffix:
        return False
    kind, packed = _TYPES.guess_type(f"file{suffix}")
    is_other = kind is not None and not kind.startswith("image/")
    return suffix in _OTHERS or packed is not None or is_other
