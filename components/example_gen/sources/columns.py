"""Columns of the user's that travel with the images: further labels, and slices."""

from collections.abc import Collection, Sequence

from components.example_gen.ingest_settings import IngestSettings
from models.errors import UsageError
from models.spelling import did_you_mean
from models.wording import begun_list

_SHOWN = 20


def column_name(written: str) -> str:
    """The name by which a column of a manifest is known, however it is written.

    >>> column_name(" Age_Group ")
    'age_group'
    """
    return written.strip().lower()


def asked_for_by(column: str, settings: IngestSettings) -> str:
    """Key of the configuration that asks for a column."""
    return "data.further_labels" if column in settings.further_labels else "evaluation.slices"


def check_columns(
    columns: Sequence[str], found: Collection[str], path: str, settings: IngestSettings
) -> None:
    """Refuses columns that a manifest does not have.

    Args:
        columns: asked for.
        found: names of those that there are, as `column_name` gives them.
        path: of the manifest, for the message.
        settings: say which key asks for a column.

    Raises:
        UsageError: one is missing; says which there are, and offers the nearest.
    """
    for column in columns:
        if column_name(column) not in found:
            raise _missing(column, found, f"column of {path}", settings)


def check_features(
    columns: Sequence[str], found: Collection[str], path: str, settings: IngestSettings
) -> None:
    """The same of the features of records, whose names must be written as they are there."""
    for column in columns:
        if column not in found:
            raise _missing(column, found, f"feature of any record in {path}", settings)


def refuse_columns_of_a_folder(path: str, columns: Sequence[str], settings: IngestSettings) -> None:
    """Says that a folder of images has no columns.

    Raises:
        UsageError: a column was asked for.
    """
    if columns:
        keys = " and ".join(dict.fromkeys(asked_for_by(column, settings) for column in columns))
        raise UsageError(
            f"{keys}: expected data with columns, a manifest or TFRecords; {path} is a "
            f"folder of images, which has no {' and no '.join(columns)}. Write a manifest with the "
            f"columns path, label, {', '.join(columns)}, or leave {keys} out."
        )


def _missing(
    column: str, found: Collection[str], what: str, settings: IngestSettings
) -> UsageError:
    known = sorted(found)
    return UsageError(
        f"{asked_for_by(column, settings)}: {column!r} is no {what}. Expected one of "
        f"{begun_list(known, _SHOWN)}.{did_you_mean(column, known)}"
    )
