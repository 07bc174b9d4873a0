"""A CSV or JSON Lines file that names each image, its label and, optionally, its split.

CSV has a header with the columns `path`, `label` and optionally `split`, in any order, among
others; commas, semicolons or tabs between them. JSON Lines has one object a line with the same
keys. Paths are relative to the manifest. A row without a split, where others have one, joins the
training images.
"""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from components.example_gen.settings import IngestSettings
from components.example_gen.sources.entries import (
    LeftOut,
    Listing,
    SourceFile,
    canonical_label,
    canonical_split,
    printable,
)
from components.example_gen.sources.files import inspect
from models import features
from models.errors import BadDataError

SUFFIXES = (".csv", ".tsv", ".jsonl")
"""File name endings that make a file a manifest."""

_COLUMNS = "expected the columns path, label and optionally split"


def list_manifest(path: str, settings: IngestSettings) -> Listing:
    """Lists the images of a manifest.

    Args:
        path: an existing `.csv`, `.tsv` or `.jsonl` file.
        settings: how its text is decoded.

    Returns:
        Its files, sorted by name; rows that cannot be used are among what is left out.

    Raises:
        BadDataError: it cannot be read, lacks the columns, or has no rows.
    """
    try:
        text = Path(path).read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise BadDataError(f"{path} cannot be read: {error.strerror}.") from error
    rows = _json_rows(text) if path.lower().endswith(".jsonl") else _csv_rows(path, text)
    files: list[SourceFile] = []
    left_out: list[LeftOut] = []
    seen: set[SourceFile] = set()
    for number, row in rows:
        entry = _entry(path, number, row)
        if isinstance(entry, SourceFile) and entry in seen:
            entry = LeftOut(entry.name, "duplicate_row", f"line {number} repeats an earlier one")
        if isinstance(entry, SourceFile):
            seen.add(entry)
            files.append(entry)
        else:
            left_out.append(entry)
    if not files and not left_out:
        raise BadDataError(f"{path} has no rows; {_COLUMNS}, and one row an image.")
    _refuse_without_columns(path, files, left_out)
    files = _train_where_unsaid(files)
    return Listing(
        "manifest", path, tuple(sorted(files, key=lambda file: file.name)), tuple(sorted(left_out))
    )


def _csv_rows(path: str, text: str) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    header = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        columns = [name.strip().lower() for name in next(reader, [])]
        missing = [name for name in ("path", "label") if name not in columns]
        if missing:
            raise BadDataError(
                f"{path} lacks the column {' and '.join(missing)}; {_COLUMNS},"
                f" found {printable(', '.join(columns)) or 'an empty file'}."
            )
        for cells in reader:
            if cells:
                yield reader.line_num, dict(zip(columns, cells, strict=False))
    except csv.Error as error:
        raise BadDataError(f"{path}, line {reader.line_num}, is not CSV: {error}.") from error


def _json_rows(text: str) -> Iterator[tuple[int, Mapping[str, Any] | None]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        is_object = isinstance(row, dict)
        yield number, {key.strip().lower(): row[key] for key in row} if is_object else None


def _entry(manifest: str, number: int, row: Mapping[str, Any] | None) -> SourceFile | LeftOut:
    line = f"{printable(Path(manifest).name)}:{number}"
    if row is None:
        return LeftOut(line, "bad_row", "the line is not a JSON object")
    path = str(row.get("path") or "").strip()
    if not path:
        return LeftOut(line, "no_path", "the row names no image")
    name = printable(path)
    label = "" if row.get("label") is None else canonical_label(str(row["label"]))
    if not label:
        return LeftOut(name, "no_label", f"line {number} has no label")
    written_split = str(row.get("split") or "").strip()
    split = canonical_split(written_split)
    if written_split and split is None:
        reason = f"line {number} says split {printable(written_split)!r}; train, validation or test"
        return LeftOut(name, "not_a_split", reason)
    location = Path(manifest).parent / path
    outcome = inspect(location, name)
    if isinstance(outcome, LeftOut):
        return outcome
    return SourceFile(str(location), name, label, split, outcome)


def _refuse_without_columns(path: str, files: list[SourceFile], left_out: list[LeftOut]) -> None:
    """Says at once what a quarantine of every single row would say badly."""
    if files:
        return
    code = max({one.code for one in left_out}, key=[one.code for one in left_out].count)
    example = next(one for one in left_out if one.code == code)
    raise BadDataError(
        f"None of the {len(left_out)} rows of {path} can be used, for instance"
        f" {example.name}: {example.reason}. {_COLUMNS.capitalize()}, paths relative to the"
        " manifest."
    )


def _train_where_unsaid(files: list[SourceFile]) -> list[SourceFile]:
    if all(file.split is None for file in files):
        return files
    return [replace(file, split=file.split or features.TRAIN) for file in files]
