"""Checks on the classes: enough training images, and none that training does not know."""

from collections import Counter

import numpy as np

from components.findings import Finding
from components.image_validator.settings import ValidationSettings, override
from components.image_validator.table import ImageTable
from models import features


def check_classes(
    table: ImageTable, known: frozenset[str] | None, settings: ValidationSettings
) -> list[Finding]:
    """Runs every check of this module.

    Args:
        table: the images.
        known: classes of the schema's label domain; None where it leaves the label free.
        settings: severities and limits.
    """
    trained = table.labels_in(features.TRAIN)
    findings = _untrained(table, trained, settings) + _too_few(table, settings)
    if known is not None:
        findings += _outside_schema(table, known, settings)
        findings += _vanished(known - set(table.label), settings)
    return findings


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


def _outside_schema(
    table: ImageTable, known: frozenset[str], settings: ValidationSettings
) -> list[Finding]:
    findings: list[Finding] = []
    for label in sorted(set(table.label) - known):
        rows = np.flatnonzero(table.label == label)
        message = (
            f'class "{label}" ({_images(len(rows))}) is not among the {len(known)} classes of the '
            "schema. If it is meant, add it to the label domain in the schema file "
            "(validation.schema_path), or delete that file to have it inferred anew. "
            + override("unseen_class")
        )
        findings += settings.finding("unseen_class", message, table.names(rows))
    return findings


def _vanished(labels: frozenset[str], settings: ValidationSettings) -> list[Finding]:
    findings: list[Finding] = []
    for label in sorted(labels):
        message = (
            f'class "{label}" is in the schema but has no image: the model will not know it. If '
            "it was removed on purpose, remove it from the schema file (validation.schema_path) "
            "too."
        )
        findings += settings.hint("too_few_images", message, [])
    return findings


def _too_few(table: ImageTable, settings: ValidationSettings) -> list[Finding]:
    findings: list[Finding] = []
    in_training = table.split == features.TRAIN
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
