"""Checks for the same picture twice: across splits, and under two labels."""

from collections.abc import Iterable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from components.findings import Finding
from components.image_validator.group_checks import suspected_by_looks
from components.image_validator.table import ImageTable, Texts
from components.image_validator.validation_settings import ValidationSettings, override
from models.data.near_duplicates import Tolerance, near_duplicates

_EXAMPLES = 3
"""Pairs that a message spells out."""
_LEAK = "The score on a held-out split flatters a model that has seen the image in training."


def check_duplicates(table: ImageTable, settings: ValidationSettings) -> list[Finding]:
    """Runs every check of this module.

    Images whose bytes are equal count as duplicates, not as near-duplicates, and under two labels
    images whose pixels are equal do too. Near-duplicates under two labels are at most a warning:
    two classes may truly look alike.
    """
    pictures = table.pictures
    return [
        *_conflict(table, _pairs_of_equal(pictures), settings),
        *_across_splits(table, _pairs_of_equal(table.sha256), settings),
        *_near(table, pictures, settings),
    ]


def _conflict(
    table: ImageTable, equal: NDArray[np.int64], settings: ValidationSettings
) -> list[Finding]:
    pairs = _differing(table.label, equal)
    if not len(pairs):
        return []
    names = _names(table, pairs)
    share = len(names) / len(table.name)
    if share <= settings.max_label_conflicts:
        few = f"{share:.2%} of the images, which validation.max_label_conflicts lets pass"
        message = f"the same image stands under two labels: {_spelled_out(table, pairs)} ({few})."
        return settings.hint("label_conflict", message, names)
    message = f"the same image stands under two labels: {_spelled_out(table, pairs)}."
    mend = "Remove the wrong ones. " + override("label_conflict")
    return settings.finding("label_conflict", message, names, mend)


def _across_splits(
    table: ImageTable, equal: NDArray[np.int64], settings: ValidationSettings
) -> list[Finding]:
    pairs = _differing(table.split, equal)
    if not len(pairs):
        return []
    message = f"the same image is in two splits: {_spelled_out(table, pairs)}. {_LEAK}"
    mend = "Remove one of each. " + override("duplicate_across_splits", "ignore")
    return settings.finding("duplicate_across_splits", message, _names(table, pairs), mend)


def _near(
    table: ImageTable, pictures: NDArray[np.int64], settings: ValidationSettings
) -> list[Finding]:
    severities = (
        settings.label_conflict,
        settings.near_duplicate_across_splits,
        settings.groups_suspected,
    )
    if set(severities) == {"ignore"}:
        return []
    pairs = _look_alikes(table, settings.near_duplicate_distance)
    findings: list[Finding] = []
    relabelled = _differing(table.label, _differing(pictures, pairs))
    if len(relabelled):
        message = (
            f"images that look the same stand under two labels: {_spelled_out(table, relabelled)}."
        )
        mend = "Look whether one of each is labelled wrongly. " + override(
            "label_conflict", "ignore"
        )
        findings += settings.hint("label_conflict", message, _names(table, relabelled), mend)
    leaked = _differing(table.split, pairs)
    findings += suspected_by_looks(table, leaked, settings)
    if len(leaked):
        message = (
            f"images that look the same are in two splits: {_spelled_out(table, leaked)}. {_LEAK}"
        )
        mend = (
            "Remove one of each, or make validation.near_duplicate_distance smaller. "
            + override("near_duplicate_across_splits", "ignore")
        )
        findings += settings.finding(
            "near_duplicate_across_splits", message, _names(table, leaked), mend
        )
    return findings


def _look_alikes(table: ImageTable, bits: int) -> NDArray[np.int64]:
    """Near-duplicates whose bytes differ, int64 [p, 2].

    Of equal bytes one image a split and label is searched: a thousand copies of one picture would
    else make a million pairs.
    """
    places = zip(table.sha256, table.split, table.label, strict=True)
    rows = np.array(sorted({place: row for row, place in enumerate(places)}.values()), np.int64)
    pairs = near_duplicates(table.look.take(rows), Tolerance(bits=bits))
    return _differing(table.sha256, rows[pairs])


def _pairs_of_equal(column: Texts | NDArray[np.int64]) -> NDArray[np.int64]:
    """Neighbours within each group of equal entries, int64 [p, 2].

    Neighbours are enough: a group that is not all of one split (or label) has two neighbours
    that differ, once it is ordered as it came.
    """
    order = np.argsort(column, kind="stable")
    pairs = [pair for pair in pairwise(order) if column[pair[0]] == column[pair[1]]]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _differing(column: Texts | NDArray[np.int64], pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    return pairs[column[pairs[:, 0]] != column[pairs[:, 1]]]


def _names(table: ImageTable, pairs: NDArray[np.int64]) -> list[str]:
    """Names of all images in `pairs`, each once, partners side by side."""
    return list(dict.fromkeys(table.names(pairs.ravel())))


def _spelled_out(table: ImageTable, pairs: NDArray[np.int64]) -> str:
    words = "; ".join(_in_words(table, pairs[:_EXAMPLES]))
    more = len(pairs) - _EXAMPLES
    return f"{words}; and {more} more pairs" if more > 0 else words


def _in_words(table: ImageTable, pairs: Iterable[NDArray[np.int64]]) -> Iterator[str]:
    for first, second in pairs:
        yield f"{table.placed(first)} and {table.placed(second)}"
