"""A class name from what a manifest or a record holds under `label`: one label an image and column.

| what comes | becomes |
|---|---|
| text | the class, without surrounding blanks |
| a whole number; `1.0` too, as pandas writes whole numbers where some are missing | `1` |
| `true`, `false` | `true`, `false` |
| nothing, a blank, `NaN`, and what programs write for a missing value | refused, no label |
| any other number | refused, as no class |
| a list or an object, also one that was written as text | refused, as several labels |
| control characters, half characters, a text longer than `MAX_LABEL` | refused |

Text stays as it is: the labels "1" and "1.0" of a CSV are two classes.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Final, TypeVar

from components.example_gen.sources.entries import (
    LabelledImage,
    LeftOut,
    SourceFile,
    canonical_label,
)
from models.data.label_text import is_missing

MAX_LABEL = 255
"""Most characters of a class name; a folder's name may have as many bytes."""

_MOST_EXACT = 2**53
_UNFIT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_LIST = re.compile(r"\[.*\]|\{.*\}|\(.*,.*\)", re.DOTALL)
_SEPARATORS = re.compile(r"[|;,+&]")
_BLANKS = re.compile(r"\s+")
_BARS = re.compile(r"[|;]")
_Image = TypeVar("_Image", SourceFile, LabelledImage)
ONE_LABEL = "one label an image is needed"
"""The words for every refusal of several labels."""
NO_LABEL: Final = "no_label"
"""Code of a refusal for want of a label."""


class RefusedError(Exception):
    """A row or a record cannot be used.

    Attributes:
        code: short machine-readable cause.
        reason: one sentence for the user.
    """

    def __init__(self, code: str, reason: str) -> None:
        """Takes what becomes a line of the quarantine."""
        super().__init__(reason)
        self.code = code
        self.reason = reason


def label_of(value: object) -> str:
    """Returns the class that a value names.

    Args:
        value: text, or any value of JSON.

    Returns:
        The class name, not empty.

    Raises:
        RefusedError: it names none, or several.
    """
    if isinstance(value, (list, dict)):
        kind = "a list" if isinstance(value, list) else "an object"
        raise RefusedError("several_labels", f"the label is {kind}; {ONE_LABEL}, as text")
    if value is None:
        raise RefusedError(NO_LABEL, "there is no label")
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        value = _whole(value)
    return _fit(str(value))


def further_label_of(value: object, column: str) -> str:
    """Returns the class that a value of a further label column names.

    Args:
        value: text, or any value of JSON.
        column: its name.

    Returns:
        The class name; empty where the image has none in this column.

    Raises:
        RefusedError: it names several, or is no class.
    """
    try:
        return label_of(value)
    except RefusedError as error:
        if error.code == NO_LABEL:
            return ""
        raise RefusedError(error.code, f"in {column}: {error.reason}") from None


def without_joined(
    images: Sequence[_Image], columns: Sequence[str], further: Collection[str]
) -> tuple[list[_Image], list[LeftOut]]:
    """Refuses images with a label such as `cat|dog` where `cat` and `dog` are labels too.

    Args:
        images: of a source.
        columns: names of their `slices`.
        further: those of them that hold labels.

    Returns:
        The images that can be used, and the others with the reason.
    """
    refused: dict[int, LeftOut] = {}
    of_column = {"": [image.label for image in images]} | {
        column: [image.slices[place] for image in images]
        for place, column in enumerate(columns)
        if column in further
    }
    for column, labels in of_column.items():
        joined = joined_labels(filter(None, labels))
        where = f"in {column}: " if column else ""
        for row, label in enumerate(labels):
            if label in joined:
                reason = f"{where}the label {label!r} joins several; {ONE_LABEL}"
                refused[row] = LeftOut(images[row].name, "several_labels", reason)
    kept = [image for row, image in enumerate(images) if row not in refused]
    return kept, list(refused.values())


def joined_labels(labels: Iterable[str]) -> set[str]:
    """Finds labels that are several others in one text, such as `cat|dog` beside `cat` and `dog`.

    Args:
        labels: all labels of a source.

    Returns:
        Those of which every part between `|`, `;`, `,`, `+`, `&` or blanks is a label by itself,
        and those of which every part recurs in others: `a|b`, `b|c` and `a|c`.
    """
    known = set(labels)
    return {
        label
        for label in known
        for separators in (_SEPARATORS, _BLANKS)
        if len(parts := _parts(separators, label)) > 1 and known.issuperset(parts)
    } | _recombined(known)


def _recombined(labels: set[str]) -> set[str]:
    """Finds lists of which all parts stand in other lists too, between `|` or `;`.

    A part that stands once first and once second tells a list from a name with levels, such as
    `tomato|blight`.
    """
    lists = {label: parts for label in labels if len(parts := _parts(_BARS, label)) > 1}
    times = Counter(part for parts in lists.values() for part in set(parts))
    places: dict[str, set[int]] = defaultdict(set)
    for parts in lists.values():
        for place, part in enumerate(parts):
            places[part].add(place)
    if not any(len(each) > 1 for each in places.values()):
        return set()
    return {
        label
        for label, parts in lists.items()
        if all(times[part] > 1 or part in labels for part in parts)
    }


def _parts(separators: re.Pattern[str], label: str) -> list[str]:
    return [part.strip() for part in separators.split(label)]


def _whole(value: float) -> int:
    if math.isnan(value):
        raise RefusedError(NO_LABEL, "the label is NaN, which stands for none")
    if not value.is_integer() or abs(value) > _MOST_EXACT:
        raise RefusedError(
            "bad_label", f"the label {value:g} is a number that is not whole; a class was expected"
        )
    return int(value)


def _fit(text: str) -> str:
    text = text.strip()
    if not text:
        raise RefusedError(NO_LABEL, "the label is empty")
    if is_missing(text):
        raise RefusedError(
            NO_LABEL, f"the label is {text!r}, which programs write where a label is missing"
        )
    if _LIST.fullmatch(text):
        raise RefusedError("several_labels", f"the label is a list written as text; {ONE_LABEL}")
    if _UNFIT.search(text):
        raise RefusedError(
            "bad_label", "the label holds a line break, a control character or half a character"
        )
    if len(text) > MAX_LABEL:
        raise RefusedError(
            "bad_label", f"the label has {len(text):,} characters, more than {MAX_LABEL}"
        )
    return canonical_label(text)
