"""The rows of a manifest, parsed one at a time: a broken row costs that row and no other."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from components.example_gen.sources.entries import printable
from models.errors import BadDataError

COLUMNS = "expected the columns path, label and optionally split"
"""What a manifest should have, for messages."""

_REQUIRED = ("path", "label")
_MOST_LINES = 20
"""A row of CSV may run over so many lines; a quote that is never closed would take all."""
_SEPARATOR = re.compile(r"sep=(.)\s*$", re.IGNORECASE)
_FOUND = 200


class Row(NamedTuple):
    """One row.

    Attributes:
        number: of its first line, from 1.
        cells: value by column, names in small letters.
        problem: why it cannot be read; empty for none.
    """

    number: int
    cells: Mapping[str, Any]
    problem: str = ""


def csv_rows(path: str, text: str, optional: Sequence[str]) -> Iterator[Row]:
    """Parses CSV with commas, semicolons or tabs.

    Args:
        path: of the manifest, for messages.
        text: its content.
        optional: columns beside path and label that have a meaning, and may not stand there twice.

    Returns:
        The rows that are not blank.

    Raises:
        BadDataError: there is no header, or it lacks a column or has one twice.
    """
    lines = list(io.StringIO(text, newline=""))
    at = _past_blanks(lines, 0)
    delimiter = ""
    if at < len(lines) and (said := _SEPARATOR.match(lines[at])):  # Excel's own first line
        delimiter = said[1]
        at = _past_blanks(lines, at + 1)
    header = lines[at] if at < len(lines) else ""
    delimiter = delimiter or max(",;\t", key=header.count)
    cells, used = _cells(lines, at, delimiter) if header else ([], 0)
    if isinstance(cells, str):
        raise BadDataError(f"{path}, line {at + 1}, is not CSV: {cells}.")
    columns = [name.strip().lower() for name in cells]
    _check_columns(path, columns, optional, _body(lines, at + used, delimiter, columns))
    return _body(lines, at + used, delimiter, columns)


def json_rows(text: str) -> Iterator[Row]:
    """Parses JSON Lines.

    Args:
        text: content of the manifest.

    Yields:
        The rows that are not blank.
    """
    for number, line in enumerate(io.StringIO(text, newline=""), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=_without_repeats)
        except _RepeatedKeyError as error:
            yield Row(number, {}, f"the key {error} stands there twice")
        except RecursionError:
            yield Row(number, {}, "it is nested too deep")
        except ValueError:
            yield Row(number, {}, "the line is not a JSON object")
        else:
            is_object = isinstance(row, dict)
            problem = "" if is_object else "the line is not a JSON object"
            yield Row(number, row if is_object else {}, problem)


class _RepeatedKeyError(Exception):
    pass


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for key, value in pairs:
        name = key.strip().lower()
        if name in row:
            raise _RepeatedKeyError(printable(name)[:_FOUND])
        row[name] = value
    return row


def _body(lines: Sequence[str], at: int, delimiter: str, columns: Sequence[str]) -> Iterator[Row]:
    while (at := _past_blanks(lines, at)) < len(lines):
        cells, used = _cells(lines, at, delimiter)
        if isinstance(cells, str):
            yield Row(at + 1, {}, f"it is not CSV ({cells})")
        elif len(cells) < len(columns) or any(cell.strip() for cell in cells[len(columns) :]):
            yield Row(at + 1, {}, f"it has {len(cells)} cells under {len(columns)} columns")
        else:
            yield Row(at + 1, dict(zip(columns, cells, strict=False)))
        at += used


def _cells(lines: Sequence[str], at: int, delimiter: str) -> tuple[list[str] | str, int]:
    """Returns the cells of the row at a line, or what is wrong with it, and how many lines it has.

    Behind a row that is wrong the next line starts a new one.
    """
    if '"' not in lines[at]:
        return lines[at].rstrip("\r\n").split(delimiter), 1
    reader = csv.reader(lines[at : at + _MOST_LINES], delimiter=delimiter, strict=True)
    try:
        return next(reader), reader.line_num
    except csv.Error as error:
        return ("a quote is not closed" if "end of data" in str(error) else str(error)), 1


def _past_blanks(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and not lines[at].strip(" \r\n"):
        at += 1
    return at


def _check_columns(
    path: str, columns: Sequence[str], optional: Sequence[str], rows: Iterator[Row]
) -> None:
    missing = [name for name in _REQUIRED if name not in columns]
    if missing:
        found = printable(", ".join(columns))[:_FOUND] or "an empty file"
        raise BadDataError(
            f"{path} lacks the column {' and '.join(missing)}; {COLUMNS}, found {found}."
            + _one_hot_hint(columns, next(rows, None))
        )
    for name in (*_REQUIRED, *optional):
        if columns.count(name) > 1:
            raise BadDataError(f"{path} has two columns {name}; {COLUMNS}, each once.")


def _one_hot_hint(columns: Sequence[str], first: Row | None) -> str:
    cells = [first.cells.get(name, "") for name in columns if name != "path"] if first else []
    if sum(cell.strip() in ("0", "1", "0.0", "1.0") for cell in cells) < len(_REQUIRED):
        return ""
    return (
        " Where each class has a column of noughts and ones, write the name of the one class into"
        " a column label instead; one label an image is needed."
    )
