"""A check of the classes' names: one that says "no label" is a pile of images, and no class."""

import json
import re
import shlex
import unicodedata
from collections.abc import Iterable
from typing import Final

from components.findings import Finding
from components.image_validator.table import ImageTable
from components.image_validator.validation_settings import ValidationSettings, override
from models.data.label_text import is_missing
from models.wording import counted

_KEY: Final = "unlabelled_class"
_DONE: Final = """
labeled labelled annotated classified categorized categorised sorted tagged
"""
_NOT_DONE: Final = frozenset(
    [f"{no}{done}" for no in ("un", "not", "notyet", "non", "tobe") for done in _DONE.split()]
    + [f"{no}{label}" for no in ("no", "un", "without") for label in ("label", "labels")]
    + [f"to{do}" for do in ("label", "annotate", "classify", "sort", "tag")]
    + ["unsup", "unsupervised"]
)
_UNKNOWN: Final = frozenset(["unknown", "unknowns", "unidentified", "undetermined", "unspecified"])
_FILLERS: Final = """
image images img imgs photo photos picture pictures data files folder set
"""
_WORD: Final = re.compile(r"[^\W\d_]+")


def check_unlabelled_classes(table: ImageTable, settings: ValidationSettings) -> list[Finding]:
    """Names classes that are called as images are that nobody has labelled.

    A name such as "unlabelled" is no class. One such as "unknown" may be meant as a class: it is
    never more than a warning. So is "nan", which a manifest takes for no label and a program that
    sorts images into folders for the name of one.

    Args:
        table: the images.
        settings: the severity.
    """
    findings: list[Finding] = []
    for label, count in table.counts.items():
        name = _plain(label)
        may_be_class = name in _UNKNOWN or is_missing(label)
        if not may_be_class and name not in _NOT_DONE:
            continue
        is_class = table.label == label
        names = table.names(is_class)
        about = "may hold images" if may_be_class else "is called as images are"
        images = counted(count, "image")
        message = (
            f'the class "{label}" ({images}) {about} that nobody has labelled. If so, a model would'
            " learn them as one kind of thing."
        )
        mend = (
            f"{_how_to_leave_out(label, names, table)} If it is a class, it may stay."
            f" {override(_KEY, 'ignore')}"
        )
        find = settings.hint if may_be_class else settings.finding
        findings += find(_KEY, message, names, mend)
    return findings


def _plain(label: str) -> str:
    """The words of a name as one, without those that say nothing here."""
    text = unicodedata.normalize("NFKC", label).casefold()
    return "".join(word for word in _WORD.findall(text) if word not in _FILLERS.split())


def _how_to_leave_out(label: str, names: Iterable[str], table: ImageTable) -> str:
    """The line to type where folders of that name hold these images and no others."""
    others = table.names(table.label != label)
    within = [label in _folders(name) for name in names]
    if not all(within) or any(label in _folders(name) for name in others):
        return "Leave them out of the data: in a manifest, delete their rows."
    at_top = all(_folders(name)[0] == label for name in names)
    patterns = json.dumps([label] if at_top else [label, f"*/{label}"], ensure_ascii=False)
    return (
        f"Leave them out: graft run --set {shlex.quote(f'data.ignore={patterns}')} (and the"
        " patterns that you have there); data.unlabelled may name their folder, so that the model"
        " learns from them without a label."
    )


def _folders(name: str) -> list[str]:
    return name.split("/")[:-1]
