"""A check of the classes' names: two that mean the same are two classes, of which one is wrong."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

import numpy as np

from components.findings import Finding
from components.image_validator.table import ImageTable
from components.image_validator.validation_settings import ValidationSettings, override

_NUMBER: Final = re.compile(r"[+-]?\d+(\.\d+)?")
_BETWEEN_WORDS: Final = re.compile(r"(?<=\w)[\s_-]+(?=\w)")
_SHOWN: Final = 5


def check_class_names(table: ImageTable, settings: ValidationSettings) -> list[Finding]:
    """Names classes that differ only in how they are written, in each column of labels.

    Args:
        table: the images.
        settings: severities.
    """
    findings: list[Finding] = []
    for column, labels in {"": table.label, **table.further}.items():
        alike = names_alike(set(labels.tolist()) - {""})
        if not alike:
            continue
        shown = "; ".join(" and ".join(map(_seen, names)) for names in alike[:_SHOWN])
        more = f" (and {len(alike) - _SHOWN} more)" if len(alike) > _SHOWN else ""
        where = f" in the column {column!r}" if column else ""
        message = (
            f"classes{where} differ only in how they are written: {shown}{more}. Each counts as a "
            "class of its own."
        )
        mend = (
            "If they mean the same, give them one name, in the folders or in the manifest. "
            + override("similar_classes")
        )
        rows = np.flatnonzero(np.isin(labels, [name for names in alike for name in names]))
        findings += settings.finding("similar_classes", message, table.names(rows), mend)
    return findings


def names_alike(names: Iterable[str]) -> list[list[str]]:
    """Groups of names that are one but for case, blanks, joining signs and what cannot be seen.

    Numbers are alike where their values are, such as 1 and 1.0. Single letters are not: the
    classes of handwriting are large and small ones.
    """
    groups: dict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        groups[_plain(name)].append(name)
    return [group for group in groups.values() if len(group) > 1]


def _plain(name: str) -> str:
    text = unicodedata.normalize("NFKC", name)
    text = "".join(letter for letter in text if unicodedata.category(letter) != "Cf").strip()
    if len(text) == 1 and text.isalpha():
        return text
    if _NUMBER.fullmatch(text):
        return str(float(text))
    return _BETWEEN_WORDS.sub(" ", text).casefold()


def _seen(name: str) -> str:
    """A name in quotes, with what cannot be seen written out."""
    letters = (
        letter.encode("ascii", "backslashreplace").decode()
        if unicodedata.category(letter) == "Cf"
        else letter
        for letter in name
    )
    return f'"{"".join(letters)}"'
