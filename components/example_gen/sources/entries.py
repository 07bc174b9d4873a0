"""What every kind of source yields."""

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple

from models.data import example_schema
from models.data.label_text import one_form

Stamp = tuple[int, int, int]
"""Size in bytes, modification time and change time in nanoseconds: changed if the file was."""
UNPACKED: Stamp = (0, 0, 0)
"""Stands for the stamp of a scratch file, which nobody else changes."""

SourceKind = Literal["folder", "manifest", "tfrecord"]

Fate = Literal["refused", "passed_over", "unknown"]
"""What became of something that was offered and is not used: refused, as it should have been an
image with a label and is none; passed over, as it was never meant to be one; or unknown, as its
container is damaged and hides what else it holds."""

_SPLIT_NAMES = {
    "train": example_schema.TRAIN,
    "training": example_schema.TRAIN,
    "validation": example_schema.VALIDATION,
    "validate": example_schema.VALIDATION,
    "valid": example_schema.VALIDATION,
    "val": example_schema.VALIDATION,
    "dev": example_schema.VALIDATION,
    "eval": example_schema.VALIDATION,
    "evaluation": example_schema.VALIDATION,
    "test": example_schema.TEST,
    "testing": example_schema.TEST,
}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file to ingest, not yet read.

    Attributes:
        path: where it lies; may hold surrogate escapes where the name is not UTF-8.
        name: path relative to the source, printable.
        label: class name; empty for a TFRecord file, whose records carry their own.
        split: the user's split, or None where the user has none.
        stamp: of the file when it was listed.
        group: of the images that must lie on one side of the split; empty for none.
        slices: values of the columns that were asked for, in their order.
    """

    path: str
    name: str
    label: str
    split: str | None
    stamp: Stamp
    group: str = ""
    slices: tuple[str, ...] = ()


class LabelledImage(NamedTuple):
    """One encoded image, where it lies; a tuple, so that millions are quick to pass on.

    Attributes:
        path: a file.
        name: path relative to the source, printable.
        label: class name.
        split: the user's split, or None where the user has none.
        sha256: hex digest of the encoded image.
        stamp: of the file when it was listed.
        size: bytes of the image.
        offset: its first byte in the file.
        group: of the images that must lie on one side of the split; empty for none.
        slices: values of the columns that were asked for, in their order.
    """

    path: str
    name: str
    label: str
    split: str | None
    sha256: str
    stamp: Stamp
    size: int
    offset: int = 0
    group: str = ""
    slices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, order=True)
class LeftOut:
    """Something that was offered and is not used: one line of the quarantine.

    Attributes:
        name: what was left out, printable.
        code: short machine-readable cause.
        reason: one sentence for the user.
        fate: whether it was refused, passed over, or is unknown.
    """

    name: str
    code: str
    reason: str
    fate: Fate = "refused"


@dataclass(frozen=True, slots=True)
class Listing:
    """All that a source holds.

    Attributes:
        kind: which reader made it.
        root: folder or manifest that the user named, spans resolved.
        files: to ingest, sorted by name.
        left_out: what is not ingested, known without reading it.
        layout: how the folders were read, one sentence; empty for other sources.
    """

    kind: SourceKind
    root: str
    files: tuple[SourceFile, ...]
    left_out: tuple[LeftOut, ...]
    layout: str = ""


_TURNS: Final = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
"""Bidirectional classes of what embeds, overrides and isolates, by Unicode."""


def stamp_of(status: os.stat_result) -> Stamp:
    """Returns what tells a file from the same file after a change."""
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns


def canonical_split(name: str) -> str | None:
    """Returns train, validation or test for the names in use for them, None for any other."""
    return _SPLIT_NAMES.get(name.strip().lower())


def train_where_unsaid(files: Sequence[SourceFile]) -> list[SourceFile]:
    """Puts files without a split into training where others have one."""
    if not any(file.split for file in files):
        return list(files)
    return [replace(file, split=file.split or example_schema.TRAIN) for file in files]


def printable(name: str) -> str:
    r"""Makes any file name valid UTF-8 on one line.

    Bytes that are not UTF-8 become `\xNN`, control characters `\n` or `\x00` escapes: vocabulary
    files and terminals are read by lines. So do those that turn the direction of a line, all that
    follows on it included (`\u202e`).
    """
    if name.isprintable():
        return name
    try:
        text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half a character, which no file name holds, but JSON may
        text = name.encode("utf-8", "backslashreplace").decode("utf-8")
    return "".join(
        repr(letter)[1:-1]
        if unicodedata.category(letter) in ("Cc", "Zl", "Zp")
        or unicodedata.bidirectional(letter) in _TURNS
        else letter
        for letter in text
    )


def canonical_label(name: str) -> str:
    """Makes a class name from a folder's name or a manifest's entry.

    Bytes that are no text are written out, and what can be written in several ways is one class.
    """
    return one_form(printable(name.strip()))
