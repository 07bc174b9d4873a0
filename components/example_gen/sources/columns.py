"""Columns of the user's that travel with the images, for the slices of the evaluation."""

from collections.abc import Collection, Sequence

from models.errors import UsageError
from models.spelling import did_you_mean

_SHOWN = 20


def column_name(written: str) -> str:
    """The name by which a column of a manifest is known, however it is written.

    >>> column_name(" Age_Group ")
    'age_group'
    """
    return written.strip().lower()


def check_columns(columns: Sequence[str], found: Collection[str], path: str) -> None:
    """Refuses columns that a manifest does not have.

    Args:
        columns: asked for.
        found: names of those that there are, as `column_name` gives them.
        path: of the manifest, for the message.

    Raises:
        UsageError: one is missing; says which there are, and offers the nearest.
    """
    for column in columns:
        if column_name(column) not in found:
            raise _missing(column, found, f"column of {path}")


def check_features(columns: Sequence[str], found: Collection[str], path: str) -> None:
    """The same of the features of records, whose names must be written as they are there."""
    for column in columns:
        if column not in found:
            raise _missing(column, found, f"feature of any record in {path}")


def refuse_columns_of_a_folder(path: str, columns: Sequence[str]) -> None:
    """Says that a folder of images has no columns.

    Raises:
        UsageError: a column was asked for.
    """
    if columns:
        raise UsageError(
            f"evaluation.slices: expected data with columns, a manifest or TFRecords; {path} is a "
            f"folder of images, which has no {' and no '.join(columns)}. Write a manifest with the "
            f"columns path, label, {', '.join(columns)}, or leave evaluation.slices out."
        )


def _missing(column: str, found: Collection[str], what: str) -> UsageError:
    known = sorted(found)
    named = ", ".join(known[:_SHOWN]) + ", …" * (len(known) > _SHOWN)
    return UsageError(
        f"evaluation.slices: {column!r} is no {what}. Expected one of {named}."
        f"{did_you_mean(column, known)}"
    )
