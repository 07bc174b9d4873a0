"""Checks on the classes: enough training images, and none that training does not know."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from components.artifact_names import REPLAYED_FOLDER
from components.class_changes import ClassChange, together
from components.findings import Finding
from components.image_validator.class_sizes import (
    MOST_CLASSES,
    small_classes,
    unasked_classes,
    untrained_classes,
)
from components.image_validator.table import ImageTable
from components.image_validator.validation_settings import ValidationSettings, override
from models.data import example_schema
from models.wording import counted, listed

_ACCEPT = (
    "If that is meant, type `graft schema accept` (with the --workspace or --config of this run)."
)


@dataclass(frozen=True, slots=True)
class KnownClasses:
    """What the schema says of the label.

    Attributes:
        labels: the classes of its string domain; None where it has none.
        path: the user's schema file.
    """

    labels: frozenset[str] | None
    path: str


def check_classes(
    table: ImageTable,
    known: KnownClasses,
    changes: Iterable[ClassChange],
    settings: ValidationSettings,
    *,
    has_replayed: bool = False,
) -> list[Finding]:
    """Runs every check of this module.

    Args:
        table: the images.
        known: classes by the schema.
        changes: how those of the images differ from them.
        settings: severities and limits.
        has_replayed: images are there by `data.replay`.
    """
    findings = untrained_classes(
        table, table.label, "", "Add training images, or remove the class.", settings
    )
    findings += small_classes(
        table, table.label, "", "Add images, remove the class, or lower that number.", settings
    )
    findings += unasked_classes(table, settings)
    findings += _imbalance(table, settings)
    if known.labels is None:
        return findings + _unknown(known.path, settings)
    for change in together(changes):
        back = _replayed_alone(table, change) if has_replayed else []
        findings += _changed(table, known, change, back, settings)
    return findings


def _unknown(path: str, settings: ValidationSettings) -> list[Finding]:
    message = (
        f"the schema file {path} does not say which classes are known, so that a new, renamed or "
        "vanished class would not be noticed."
    )
    mend = (
        "Delete the file to have the schema inferred anew from these images, or type `graft schema "
        "accept` (with the --workspace or --config of this run) to have their classes written into "
        "it. " + override("unseen_class")
    )
    return settings.finding("unseen_class", message, [], mend)


def _changed(
    table: ImageTable,
    known: KnownClasses,
    change: ClassChange,
    back: list[str],
    settings: ValidationSettings,
) -> list[Finding]:
    rows = np.flatnonzero(np.isin(table.label, change.after))
    if change.kind == "exchanged":
        message = (
            f"{change.words}. A model of these images would answer the one where the last one "
            "answers the other."
        )
        mend = (
            "Where it is a mistake, give the folders, or the labels of the manifest, their names "
            f"back. {_ACCEPT} " + override("unseen_class")
        )
        return settings.finding("unseen_class", message, table.names(rows), mend)
    count = len(known.labels or ())
    schema = f"among the {count} classes of the schema file {known.path}"
    if not change.adds:
        message = f"{change.words}; {_each(change.before, change.after)} still {schema}."
        return settings.hint("unseen_class", message, table.names(rows), _ACCEPT)
    new = _each(change.after, change.before)
    both = (
        f"{', '.join(back)} came back by data.replay alone, under the name that the last blessed "
        f"model has: where {new} another name for that, delete its line from {known.path} once "
        "the new name was accepted, or the model learns both. "
        if back
        else ""
    )
    message = f"{change.words}; {new} not {schema}."
    mend = f"{_ACCEPT} {both}" + override("unseen_class")
    return settings.finding("unseen_class", message, table.names(rows), mend)


def _each(labels: Sequence[str], without: Sequence[str]) -> str:
    """Those that are on one side alone, and the verb."""
    only = [f'"{label}"' for label in labels if label not in without]
    return f"{listed(only, MOST_CLASSES)} {'is' if len(only) == 1 else 'are'}"


def _replayed_alone(table: ImageTable, change: ClassChange) -> list[str]:
    """Old names, in quotation marks, that the data itself has left."""
    return [
        f'"{label}"'
        for label in change.before
        if label in change.after
        and all(name.startswith(REPLAYED_FOLDER) for name in table.names(table.label == label))
    ]


def _imbalance(table: ImageTable, settings: ValidationSettings) -> list[Finding]:
    counts = Counter(table.label[table.split == example_schema.TRAIN]).most_common()
    if not counts:
        return []
    (most, largest), (least, smallest) = counts[0], counts[-1]
    ratio = largest / smallest
    if ratio <= settings.max_imbalance:
        return []
    many, few = counted(largest, "image"), counted(smallest, "image")
    message = (
        f'class "{most}" has {many} to train on, class "{least}" {few}: '
        f"{ratio:.0f} times as many, more than validation.max_imbalance: "
        f"{settings.max_imbalance:g}. A model gains little by knowing the rare class, and may take "
        "anything for a sign of the frequent one."
    )
    mend = (
        "Add images of it, weigh the classes alike (training.class_weights: balanced), and ask for "
        "evaluation.min_class_recall. " + override("class_imbalance")
    )
    return settings.finding("class_imbalance", message, [], mend)
