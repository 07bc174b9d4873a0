"""Checks for photos of one thing on two sides of the split."""

import shlex
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from components.findings import Finding
from components.image_validator.name_groups import suspect
from components.image_validator.table import ImageTable
from components.image_validator.validation_settings import ValidationSettings

_EXAMPLES = 3
_MANY_PAIRS = 0.02
_FEWEST_PAIRS = 5
_FLATTERS = "Such photos flatter the score: the model has seen the thing in training."


def check_groups(table: ImageTable, settings: ValidationSettings) -> list[Finding]:
    """Runs every check of this module that needs no pixels.

    Args:
        table: the images.
        settings: severities.
    """
    if any(table.group):
        return _across_splits(table, settings)
    if settings.groups_suspected == "ignore":
        return []
    return _suspected_by_names(table, settings)


def suspected_by_looks(
    table: ImageTable, pairs: NDArray[np.int64], settings: ValidationSettings
) -> list[Finding]:
    """A finding where many images of a class have one that looks the same in another split.

    Args:
        table: the images.
        pairs: int64 [p, 2], images that look the same and lie in two splits.
        settings: the severity.
    """
    alike = pairs[table.label[pairs[:, 0]] == table.label[pairs[:, 1]]]
    rows = np.unique(alike)
    if any(table.group) or len(alike) < max(_FEWEST_PAIRS, _MANY_PAIRS * len(table.name) / 2):
        return []
    message = (
        f"{len(rows)} images have one of the same class that looks the same in another split:"
        f" several photos of one thing? {_FLATTERS}"
    )
    mend = (
        "If they are, say which belong together: data.group takes a column of the manifest or a"
        " pattern over the path."
    )
    return settings.finding("groups_suspected", message, table.names(rows), mend)


def _across_splits(table: ImageTable, settings: ValidationSettings) -> list[Finding]:
    members: dict[str, list[int]] = {}
    for row in np.flatnonzero(table.group != ""):
        members.setdefault(table.group[row], []).append(int(row))
    apart = [rows for rows in members.values() if len(set(table.split[rows])) > 1]
    if not apart:
        return []
    rows = [row for group in apart for row in group]
    message = (
        f"{len(apart)} of {len(members)} groups of data.group lie in two splits, such as"
        f" {_spelled_out(table, apart)}. {_FLATTERS}"
    )
    mend = (
        "The split is the data's own, so Graft leaves it as it is: move each group to one side, or"
        " leave out the split to have Graft make it."
    )
    return settings.finding("group_across_splits", message, table.names(np.array(rows)), mend)


def _suspected_by_names(table: ImageTable, settings: ValidationSettings) -> list[Finding]:
    found = suspect(list(table.name), list(table.label))
    if found is None:
        return []
    apart = [rows for rows in found.groups.values() if len(set(table.split[rows])) > 1]
    if not apart:
        return []
    rows = np.concatenate(apart)
    line = shlex.quote(f"data.group={found.pattern}")
    message = (
        "file names suggest several photos of one thing, and"
        f" {len(apart)} of {len(found.groups)} such groups lie in two splits, such as"
        f" {_spelled_out(table, apart)}. {_FLATTERS}"
    )
    mend = f"If they belong together, keep them on one side: graft run --set {line}"
    return settings.finding("groups_suspected", message, table.names(rows), mend)


def _spelled_out(table: ImageTable, groups: Iterable[Iterable[int]]) -> str:
    """Of some groups, two images that lie in two splits."""
    words = []
    for group in list(groups)[:_EXAMPLES]:
        rows = list(group)
        other = next(row for row in rows if table.split[row] != table.split[rows[0]])
        words.append(f"{table.placed(rows[0])} and {table.placed(other)}")
    return "; ".join(words)
