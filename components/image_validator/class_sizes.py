"""Classes with too few images, or none, in a split: one finding, however many it is about."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from components.findings import Finding
from components.image_validator.table import ImageTable, Texts
from components.image_validator.validation_settings import ValidationSettings, override
from models.data import example_schema
from models.wording import counted, listed

MOST_CLASSES: Final = 5
"""That a finding names."""


def untrained_classes(
    table: ImageTable, labels: Texts, of: str, mend: str, settings: ValidationSettings
) -> list[Finding]:
    """Finds the classes that have images, but none to train on.

    Args:
        table: the images.
        labels: the class of each image, object [n] of str, empty for none.
        of: what stands behind the class to say whose it is; empty for the first column.
        mend: what to do about it, in a sentence.
        settings: severities and limits.
    """
    counts = Counter(labels[labels != ""].tolist())
    lacking = sorted(counts.keys() - set(labels[table.split == example_schema.TRAIN].tolist()))
    if not lacking:
        return []
    rows = np.isin(labels, lacking)
    splits = " and ".join(dict.fromkeys(table.split[rows].tolist()))
    if len(lacking) == 1:
        images = counted(counts[lacking[0]], "image")
        message = (
            f"class {_quoted(lacking[0])}{of} has {images} in {splits} and none in train, so no "
            "model can learn it."
        )
    else:
        message = (
            f"{len(lacking)} of {len(counts)} classes{of} have images in {splits} and none in "
            f"train, so no model can learn them: {_named(lacking, counts)}."
        )
    return settings.finding(
        "unseen_class", message, table.names(rows), f"{mend} {override('unseen_class')}"
    )


def small_classes(
    table: ImageTable, labels: Texts, of: str, mend: str, settings: ValidationSettings
) -> list[Finding]:
    """Finds the classes with fewer training images than the settings ask for, but some.

    Args are those of `untrained_classes`.
    """
    in_training = (table.split == example_schema.TRAIN) & (labels != "")
    trained = Counter(labels[in_training].tolist())
    least = settings.min_images_per_class
    small = sorted(label for label, count in trained.items() if count < least)
    if not small:
        return []
    counts = Counter(labels[labels != ""].tolist())
    if len(small) == 1:
        label = small[0]
        others = counts[label] - trained[label]
        rest = f" ({counts[label]} in all, the others validate or test)" if others else ""
        message = (
            f"class {_quoted(label)}{of} has {counted(trained[label], 'image')} to train on, fewer "
            f"than validation.min_images_per_class: {least}{rest}."
        )
    else:
        message = (
            f"{len(small)} of {len(trained)} classes{of} have fewer images to train on than "
            f"validation.min_images_per_class: {least}. To train on are, of those in all splits: "
            f"{_named(small, counts, trained)}."
        )
    rows = in_training & np.isin(labels, small)
    return settings.finding(
        "too_few_images", message, table.names(rows), f"{mend} {override('too_few_images')}"
    )


def unasked_classes(table: ImageTable, settings: ValidationSettings) -> list[Finding]:
    """Finds the classes that are trained on, but are not among the images that judge the model.

    Args:
        table: the images.
        settings: severities.
    """
    purposes = {
        example_schema.VALIDATION: "nothing of {} counts where the model is chosen",
        example_schema.TEST: "nothing says how well the model answers {}",
    }
    trained = set(table.label[table.split == example_schema.TRAIN].tolist())
    findings = []
    for split, purpose in purposes.items():
        lacking = sorted(trained - set(table.label[table.split == split].tolist()))
        if not lacking or lacking == sorted(trained):
            continue
        if len(lacking) == 1:
            why = purpose.format("it")
            message = f"class {_quoted(lacking[0])} has no {split} image, so that {why}."
        else:
            named = listed([_quoted(label) for label in lacking], MOST_CLASSES)
            message = (
                f"{len(lacking)} of {len(trained)} classes have no {split} image, so that"
                f" {purpose.format('them')}: {named}."
            )
        mend = f"Put images of each class there. {override('too_few_images')}"
        findings += settings.hint("too_few_images", message, [], mend)
    return findings


def _named(labels: Sequence[str], counts: Counter[str], trained: Counter[str] | None = None) -> str:
    """The first classes with their numbers of images."""
    words = [
        f"{_quoted(label)} {f'{trained[label]} of ' if trained else ''}{counts[label]}"
        for label in labels[:MOST_CLASSES]
    ]
    return listed([*words, *labels[MOST_CLASSES:]], MOST_CLASSES)


def _quoted(label: str) -> str:
    return f'"{label}"'
