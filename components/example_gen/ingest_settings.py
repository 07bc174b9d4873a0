"""Where images come from and how they are split: the section `data`."""

import codecs
import math
import re
from typing import Annotated, Final, Literal

from pydantic import Field, field_validator

from models.settings import Section

_ESCAPES: Final = (
    "idna",
    "punycode",
    "unicode-escape",
    "unicode_escape",
    "raw-unicode-escape",
    "raw_unicode_escape",
)
"""Encodings of text that are no alphabet of a file."""


def _check_encoding(encoding: str) -> str:
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


def _check_group(group: str) -> str:
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


class IngestSettings(Section):
    """Where the images come from and how they are split."""

    path: str = ""
    """Folder with a folder per class (train/, validation/, test/ above them where the data has a
    split of its own), a .csv or .jsonl manifest (path, label, optional split), or .tfrecord
    files. May hold {SPAN} and {VERSION}: the newest is taken."""
    validation_fraction: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.15
    """Share of each class set aside for choosing, where the data has no split of its own."""
    test_fraction: Annotated[float, Field(gt=0.0, lt=0.5)] = 0.15
    """Share of each class set aside for the final figure."""
    max_pixels: Annotated[int, Field(ge=1)] = 100_000_000
    """Images with more pixels are quarantined (decompression bombs)."""
    encoding: str = ""
    """Of a manifest, by Python's name of it, such as cp1252. Empty: UTF-8, or UTF-16 where the file
    begins with its byte order mark; anything else is refused."""
    ignore: tuple[str, ...] = ()
    """Patterns of paths relative to the data that are passed over, such as [masks/*, "*_mask.png"];
    * stands for anything, slashes too."""
    layout: Literal["auto", "class_per_folder", "class_per_inner_folder"] = "auto"
    """How folders are read. auto finds split folders, class folders and folders around them, and
    asks where more than one reading fits. class_per_folder: each top folder is a class, whatever
    its name. class_per_inner_folder: the folder that an image lies in is its class."""
    follow_links: bool = False
    """Follow links that lead out of the data folder. Without it they are refused."""
    group: str = ""
    """Photos of one object, patient or place are a group, which lies on one side of the split as a
    whole. Either a column of the manifest, or a regular expression over the path whose first
    bracket (or whole match) names the group, such as "(patient\\d+)_". Empty: none."""
    sample_range: tuple[float, float] | None = None
    """Samples that are black and white in images of more than 8 bits a channel (16-bit PNG and
    TIFF, 32-bit, floats), such as [0, 4095] for a camera of 12 bits. Empty: the range that all the
    data's samples use, rounded to a power of two."""

    _encoding_is_of_text = field_validator("encoding")(_check_encoding)
    _group_is_pattern = field_validator("group")(_check_group)

    @field_validator("sample_range")
    @classmethod
    def _from_black_to_white(cls, value: tuple[float, float] | None) -> tuple[float, float] | None:
        if value and not (-math.inf < value[0] < value[1] < math.inf):
            raise ValueError("two finite numbers, black and then white, black the smaller one")
        return value
