"""Checks on the classes: enough training images, and none that training does not know."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from components.findings import Finding
from components.image_validator.table import ImageTable
from components.image_validator.validation_settings import ValidationSettings, override
from models.data import example_schema


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
    table: ImageTable, known: KnownClasses, settings: ValidationSettings
) -> list[Finding]:
    """Runs every check of this module.

    Args:
        table: the images.
        known: classes by the schema.
        settings: severities and limits.
    """
    trained = table.labels_in(example_schema.TRAIN)
    findings = _untrained(table, trained, settings) + _too_few(table, settings)
    if known.labels is None:
        return findings + _unknown(known.path, settings)
    findings += _outside_schema(table, known.labels, known.path, settings)
    return findings + _vanished(known.labels - set(table.label), known.path, settings)


def _untrained(table: ImageTable, trained: set[str], settings: ValidationSettings) -> list[Finding]:
    findings: list[Finding] = []
    for label in sorted(set(table.label) - trained):
        rows = np.flatnonzero(table.label == label)
        splits = " and ".join(dict.fromkeys(table.split[rows]))
        message = (
            f'class "{label}" has {_images(len(rows))} in {splits} and none in train, so no model '
            "can learn it. Add training images of it or remove it. " + override("unseen_class")
        )
        findings += settings.finding("unseen_class", message, table.names(rows))
    return findings


def _unknown(path: str, settings: ValidationSettings) -> list[Finding]:
    message = (
        f"the schema file {path} does not say which classes are known, so that a new, renamed or "
        "vanished class would not be noticed. Delete the file to have the schema inferred anew "
        'from these images, or give it a `string_domain { name: "label" value: "..." }` with a '
        'value for each class, and its feature "label" the line `domain: "label"` in place of any '
        "other domain. " + override("unseen_class")
    )
    return settings.finding("unseen_class", message, [])


def _outside_schema(
    table: ImageTable, known: frozenset[str], path: str, settings: ValidationSettings
) -> list[Finding]:
    findings: list[Finding] = []
    for label in sorted(set(table.label) - known):
        rows = np.flatnonzero(table.label == label)
        message = (
            f'class "{label}" ({_images(len(rows))}) is not among the {len(known)} classes of the '
            f"schema. If it is meant, add it to the label domain in the schema file {path}, or "
            "delete that file to have it inferred anew. " + override("unseen_class")
        )
        findings += settings.finding("unseen_class", message, table.names(rows))
    return findings


def _vanished(labels: frozenset[str], path: str, settings: ValidationSettings) -> list[Finding]:
    findings: list[Finding] = []
    for label in sorted(labels):
        message = (
            f'class "{label}" is in the schema but has no image: the model will not know it. If '
            f"it was removed on purpose, remove it from the schema file {path} too."
        )
        findings += settings.hint("too_few_images", message, [])
    return findings


def _too_few(table: ImageTable, settings: ValidationSettings) -> list[Finding]:
    findings: list[Finding] = []
    in_training = table.split == example_schema.TRAIN
    counts = Counter(table.label[in_training])
    for label in sorted(counts):
        if counts[label] >= settings.min_images_per_class:
            continue
        rows = np.flatnonzero(in_training & (table.label == label))
        message = (
            f'class "{label}" has {_images(len(rows))} to train on, fewer than '
            f"validation.min_images_per_class: {settings.min_images_per_class}. Add images, "
            "remove the class, or lower that number. " + override("too_few_images")
        )
        findings += settings.finding("too_few_images", message, table.names(rows))
    return findings


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"
