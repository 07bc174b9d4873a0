"""What the text of a key must be, where its type alone does not tell."""

import codecs
import re
from typing import Final

_ESCAPES: Final = (
    "idna",
    "punycode",
    "unicode-escape",
    "unicode_escape",
    "raw-unicode-escape",
    "raw_unicode_escape",
)
"""Encodings of text that are no alphabet of a file."""
_MODEL_NAME: Final = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,98}[A-Za-z0-9_-])?")
_DEVICES: Final = {"CON", "PRN", "AUX", "NUL"} | {
    f"{kind}{n}" for kind in ("COM", "LPT") for n in "123456789"
}


def check_encoding(encoding: str) -> str:
    """Returns an encoding of text by Python's name of it, or nothing.

    Raises:
        ValueError: Python knows no such encoding, or it is not one of text.
    """
    sample = "path,label\n"
    try:
        known = not encoding or (
            codecs.lookup(encoding).name not in _ESCAPES
            and sample.encode(encoding).decode(encoding) == sample
        )
    except (LookupError, ValueError):
        known = False
    if not known:
        raise ValueError("an encoding of text by Python's name of it, such as cp1252 or utf-16")
    return encoding


def check_group(group: str) -> str:
    """Returns the name of a column, or a regular expression.

    Raises:
        ValueError: it is no regular expression, and so no plain name either.
    """
    try:
        re.compile(group)
    except re.error as error:
        raise ValueError(
            'a column of the manifest or a regular expression, such as "(patient\\d+)_"'
            f" (this one is neither: {error})"
        ) from error
    return group


def check_model_name(name: str) -> str:
    """Returns a name that may be a part of a URL and a folder's name, on every file system.

    Raises:
        ValueError: it may not.
    """
    stem = name.partition(".")[0].upper()
    if not _MODEL_NAME.fullmatch(name) or stem in _DEVICES:
        raise ValueError(
            "1 to 100 of the letters A to Z and a to z, digits, '_', '-' and '.', a letter, "
            "digit or '_' first, no '.' last, and no name of a device such as con"
        )
    return name
