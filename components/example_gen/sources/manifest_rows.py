"""The rows of a manifest, parsed one at a time: a broken row costs that row and no other."""

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from components.example_gen.sources.entries import printable
from components.example_gen.sources.manifest_columns import (
    REQUIRED,
    expected,
    meant,
    what_is_missing,
)
from models.errors import BadDataError

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


def csv_rows(
    path: str, text: str, optional: Sequence[str], meanings: Mapping[str, str]
) -> Iterator[Row]:
    """Parses CSV with commas, semicolons, tabs or bars.

    Args:
        path: of the manifest, for messages.
        text: its content.
        optional: columns beside path and label that have a meaning, and may not stand there twice.
        meanings: name of a column to path, label or split.

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
    delimiter = delimiter or max(",;\t|", key=header.count)
    cells, used = _cells(lines, at, delimiter) if header else ([], 0)
    if isinstance(cells, str):
        raise BadDataError(f"{path}, line {at + 1}, is not CSV: {cells}.")
    written = [name.strip().lower() for name in cells]
    first = next(_body(lines, at + used, delimiter, written), None)
    if problem := what_is_missing(written, meanings, first.cells if first else {}):
        raise BadDataError(f"{path} {problem}")
    columns = meant(written, meanings)
    for name in (*REQUIRED, *optional):
        if columns.count(name) > 1:
            raise BadDataError(f"{path} has two columns {name}; {expected(meanings)}, each once.")
    return _body(lines, at + used, delimiter, columns)


def json_rows(text: str, meanings: Mapping[str, str]) -> Iterator[Row]:
    """Parses JSON Lines.

    Args:
        text: content of the manifest.
        meanings: name of a key to path, label or split.

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
            if isinstance(row, dict):
                yield Row(number, dict(zip(meant(list(row), meanings), row.values(), strict=True)))
            else:
                yield Row(number, {}, "the line is not a JSON object")


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
