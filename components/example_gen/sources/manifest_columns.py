"""Which columns of a manifest say what, and what to type where that is not plain."""

import shlex
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from components.example_gen.sources.entries import canonical_split, printable
from components.example_gen.sources.file_kinds import has_image_suffix

UNASSIGNED: Final = "unassigned"
"""Vertex AI's word for an image without a split."""
REQUIRED: Final = ("path", "label")
"""What the columns that there must be mean."""
_PATHS: Final = """
file_name filename file filepath file_path image_path img_path image_name image_id image img id name
"""
_LABELS: Final = """
labels choice class class_name classname category category_name label_name target species breed
diagnosis y
"""
_USUAL: Final = {"path": tuple(_PATHS.split()), "label": tuple(_LABELS.split())}
_OTHER: Final = " (other)"
_SHOWN: Final = 60
_MOST: Final = 200


def meant(columns: Sequence[str], meanings: Mapping[str, str]) -> list[str]:
    """Calls columns by what they mean.

    Args:
        columns: names in small letters.
        meanings: name to path, label or split; `ManifestColumns.meanings`.

    Returns:
        A name for each. One that is called path, label or split and is none of them is no such
        column.
    """
    return [
        meanings.get(name, f"{name}{_OTHER}" if name in meanings.values() else name)
        for name in columns
    ]


def as_written(columns: Collection[str], meanings: Mapping[str, str]) -> list[str]:
    """The other way round: what columns are called in the manifest, sorted."""
    names = {meaning: name for name, meaning in meanings.items()}
    return sorted(names.get(name, name.removesuffix(_OTHER)) for name in columns)


def expected(meanings: Mapping[str, str]) -> str:
    """What a manifest should have, for messages.

    >>> expected({"id": "path", "label": "label", "split": "split"})
    'expected the columns id, label and optionally split'
    """
    path, label, split = _written(meanings)
    return f"expected the columns {path}, {label} and optionally {split}"


def _written(meanings: Mapping[str, str]) -> list[str]:
    """What the columns of the path, the label and the split are called."""
    names = {meaning: name for name, meaning in meanings.items()}
    return [names.get(meaning, meaning) for meaning in ("path", "label", "split")]


def what_is_missing(
    columns: Collection[str], meanings: Mapping[str, str], first: Mapping[str, Any]
) -> str:
    """Says which columns a manifest lacks, and what to type or write; empty where it lacks none.

    Args:
        columns: that there are, as they are written.
        meanings: name to path, label or split.
        first: cells of its first row, by column.
    """
    missing = [name for name in _written(meanings)[: len(REQUIRED)] if name not in columns]
    if not missing:
        return ""
    found = printable(", ".join(columns))[:_MOST] or "an empty file"
    columns_of = "column" if len(missing) == 1 else "columns"
    return (
        f"lacks the {columns_of} {' and '.join(missing)}; {expected(meanings)}, found {found}."
        f"{_hint([meanings[name] for name in missing if name in meanings], columns, first)}"
    )


def _hint(missing: Sequence[str], columns: Collection[str], first: Mapping[str, Any]) -> str:
    return (
        _headless(columns) or _one_hot(missing, columns, first) or _names(missing, columns, first)
    )


def _headless(columns: Collection[str]) -> str:
    """The first line names no columns but an image."""
    if not any("://" in name or has_image_suffix(name) for name in columns):
        return ""
    header = ",".join(
        "split"
        if canonical_split(name) or name == UNASSIGNED
        else "path"
        if "://" in name or has_image_suffix(name)
        else "label"
        for name in columns
    )
    return f" Its first line is an image's, so that it has no header: write `{header}` above it."


def _one_hot(missing: Sequence[str], columns: Collection[str], first: Mapping[str, Any]) -> str:
    if "label" not in missing or any(name in columns for name in _USUAL["label"]):
        return ""
    cells = [str(first.get(name, "")) for name in columns if name != "path"]
    if sum(cell.strip() in ("0", "1", "0.0", "1.0") for cell in cells) < len(REQUIRED):
        return ""
    return (
        " Where each class has a column of noughts and ones, write the name of the one class into"
        " a column label instead; one label an image is needed."
    )


def _names(missing: Sequence[str], columns: Collection[str], first: Mapping[str, Any]) -> str:
    free = [name for name in columns if name and name not in set(REQUIRED) - set(missing)]
    if not missing or len(free) < len(missing):
        return ""
    lines = []
    for meaning in missing:
        guess = next((name for name in (meaning, *_USUAL[meaning]) if name in free), "")
        if not guess and meaning == "path":
            guess = next((name for name in free if has_image_suffix(str(first.get(name)))), "")
        if not guess and meaning == "label" and len(free) == 1:
            guess = free[0]
        if guess:
            free.remove(guess)
        name = printable(guess)[:_SHOWN] or "COLUMN"
        lines.append(f"--set {shlex.quote(f'data.columns.{meaning}={name}')}")
    return f" If they are called otherwise here, type {' '.join(lines)}."
