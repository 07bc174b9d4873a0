"""Checks on the further label columns: each has enough to learn from and to be tested on.

The split is made for the first column alone, so that a further one may lie in it by chance as it
likes.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from components.findings import Finding
from components.image_validator.class_sizes import small_classes, untrained_classes
from components.image_validator.table import ImageTable, Texts
from components.image_validator.validation_settings import ValidationSettings, override
from models.data import example_schema

CHECK: Final = "further_labels"
"""Name of what no key lets pass: without it there is no head, or no verdict on it."""
_FEWEST: Final = 2
"""Classes that a head tells apart."""
_FEW: Final = 10
"""Images of a split, below which they say hardly anything."""
_WITHOUT: Final = "or take {!r} out of data.further_labels"


def check_further_labels(table: ImageTable, settings: ValidationSettings) -> list[Finding]:
    """Runs every check of this module on every further column.

    Args:
        table: the images.
        settings: severities and limits, those of the first column.
    """
    return [
        finding
        for column, labels in table.further.items()
        for finding in (
            *_too_few_classes(table, column, labels),
            *_unlabelled_splits(table, column, labels, settings),
            *_class_sizes(table, column, labels, settings),
        )
    ]


def counts(table: ImageTable) -> list[dict[str, Any]]:
    """How many images have a label in each further column, for the report.

    Returns:
        For each column its name as `column`, `images` that have a label, `of` so many, these
        `splits` and these `classes`.
    """
    found = []
    for column, labels in table.further.items():
        has = labels != ""
        splits = Counter(table.split[has].tolist())
        found.append(
            {
                "column": column,
                "images": int(has.sum()),
                "of": len(labels),
                "splits": {split: splits[split] for split in example_schema.SPLITS},
                "classes": dict(sorted(Counter(labels[has].tolist()).items())),
            }
        )
    return found


def _in_split(table: ImageTable, labels: Texts, split: str) -> NDArray[np.bool_]:
    return (table.split == split) & (labels != "")


def _too_few_classes(table: ImageTable, column: str, labels: Texts) -> Iterator[Finding]:
    rows = _in_split(table, labels, example_schema.TRAIN)
    there = sorted(set(labels[rows].tolist()))
    if len(there) >= _FEWEST:
        return
    found = f"{_images(int(rows.sum()))}, all of the class {there[0]!r}" if there else "none"
    message = (
        f"the column {column!r} should name at least {_FEWEST} classes among the training images, "
        f"so that a model can tell them apart; labelled there: {found}."
    )
    mend = f"Label images of other classes, {_WITHOUT.format(column)}."
    yield Finding.about(CHECK, "error", message, table.names(rows), mend)


def _unlabelled_splits(
    table: ImageTable, column: str, labels: Texts, settings: ValidationSettings
) -> Iterator[Finding]:
    purposes = {
        example_schema.VALIDATION: "by which its head is chosen",
        example_schema.TEST: "on which its head is judged",
    }
    trained = set(labels[_in_split(table, labels, example_schema.TRAIN)].tolist())
    for split, purpose in purposes.items():
        rows = _in_split(table, labels, split) & np.isin(labels, list(trained))
        if rows.sum() >= _FEW:
            continue
        mend = f"Label more of them (at least {_FEW}), {_WITHOUT.format(column)}."
        if not rows.any():
            message = (
                f"no {split} image, {purpose}, has a label in the column {column!r} that a "
                "training image has too."
            )
            yield Finding.about(CHECK, "error", message, [], mend)
        else:
            message = (
                f"only {_images(int(rows.sum()))} of the {split} split, {purpose}, have a label in "
                f"the column {column!r}, which says little."
            )
            mend = f"{mend} {override('too_few_images')}"
            yield from settings.hint("too_few_images", message, table.names(rows), mend)


def _class_sizes(
    table: ImageTable, column: str, labels: Texts, settings: ValidationSettings
) -> Iterator[Finding]:
    of = f" of the column {column!r}"
    mend = "Label more images, empty these cells, or lower that number."
    yield from small_classes(table, labels, of, mend, settings)
    if _in_split(table, labels, example_schema.TRAIN).any():
        mend = "Label training images too, or empty these cells."
        yield from untrained_classes(table, labels, of, mend, settings)


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"
