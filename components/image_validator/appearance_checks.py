"""Checks for images that show nothing, or all the same: what a failed conversion leaves."""

from collections import Counter, defaultdict
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from components.findings import Finding
from components.image_validator.table import ImageTable
from components.image_validator.validation_settings import ValidationSettings, override
from models.wording import counted, listed

_FEW = 5
"""Fewer images say nothing of a class: a small one may hold a blank or a copy or two."""


_NAMED = 3


def check_appearance(table: ImageTable, settings: ValidationSettings) -> list[Finding]:
    """Runs every check of this module.

    Args:
        table: the images.
        settings: severities and limits.
    """
    return [*_flat(table, settings), *_one_picture(table, settings)]


def _flat(table: ImageTable, settings: ValidationSettings) -> list[Finding]:
    flat = table.is_flat
    count = int(flat.sum())
    if not count:
        return []
    found = (
        f"{count} of {counted(len(flat), 'image')} are flat: they have next to no contrast, at a "
        f"mean brightness of {table.look.brightness_mean[flat].mean():.2f} between 0 (black) and 1 "
        "(white)"
    )
    mend = (
        "Look at them: they may be blank, or broken by an export. Where images have more than 8 "
        "bits a channel and a few samples lie far above all others, name black and white, such as "
        "data.sample_range: [0, 4095]. "
    )
    if mostly := _mostly(table, flat, settings.max_flat):
        message = (
            f"{found}. That is more than validation.max_flat: {settings.max_flat:g} of "
            f"{listed(mostly, _NAMED)}."
        )
        mend += "If they are meant, raise that number. " + override("flat_images")
        return settings.finding("flat_images", message, table.names(flat), mend)
    mend += override("flat_images", "ignore")
    return settings.hint("flat_images", f"{found}.", table.names(flat), mend)


def _mostly(table: ImageTable, flat: NDArray[np.bool_], limit: float) -> list[str]:
    """Names the groups of which a greater share than the limit is flat."""
    counts = ((words, int(flat[rows].sum()), len(rows)) for words, rows in _groups(table))
    return [words for words, count, size in counts if count >= _FEW and count > limit * size]


def _one_picture(table: ImageTable, settings: ValidationSettings) -> list[Finding]:
    """Finds the picture that most images of the set, or of a class, are copies of."""
    pictures = table.pictures
    findings: list[Finding] = []
    for words, rows in _groups(table):
        picture, count = Counter(pictures[rows].tolist()).most_common(1)[0]
        if count < _FEW or count <= settings.max_one_picture * len(rows):
            continue
        copies = rows[pictures[rows] == picture]
        message = (
            f"{count} of the {counted(len(rows), 'image')} in {words} are one and the same "
            f"picture, more than validation.max_one_picture: {settings.max_one_picture:g}. A model "
            "learns nothing from copies, and scores well on those held out."
        )
        mend = (
            "Remove them, or look whether they were exported wrongly; if they are meant, raise "
            "that number. " + override("one_picture")
        )
        findings += settings.finding("one_picture", message, table.names(copies), mend)
    return findings


def _groups(table: ImageTable) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """All images, then each class: in words, and their rows."""
    yield "the whole data", np.arange(len(table.label))
    by_label: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(table.label):
        by_label[label].append(row)
    for label, members in sorted(by_label.items()):
        yield f'class "{label}"', np.array(members)
