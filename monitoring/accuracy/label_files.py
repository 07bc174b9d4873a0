"""Files of labels that came later: CSV, JSON Lines or Parquet, written by anyone.

A row names an image by `digest` (SHA-256 of its bytes, hex) or by `request_id` and, where the
request had more than one, by `row` (from 0), and gives its `label`. Other columns are passed over,
so that the list of `graft labels --suggest`, filled in, is such a file. A row without a label, or
with what programs write for a missing one, is passed over; what cannot be understood costs its own
row alone. Names are compared as a run compares them (`models/data/label_text.py`), and a whole
number of JSON or Parquet is the class of that name.
"""

import csv
import io
import json
import math
import os
import re
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from models.byte_order_mark import decoded
from models.data.label_text import is_missing, one_form
from models.errors import BadDataError

SUFFIXES: Final = (".csv", ".tsv", ".jsonl", ".parquet")
MOST_BYTES: Final = 256 << 20
"""Larger files are refused unread."""
_LONGEST: Final = 1_000
_COLUMNS: Final = ("digest", "request_id", "row", "label")
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")
_ROW: Final = re.compile(r"\s*[0-9]{1,9}(\.0+)?\s*")
_MOST_WHOLE: Final = 1 << 63
_SHOWN: Final = 5
_BATCH: Final = 65_536
_WANTED: Final = "expected the columns label and digest, or label and request_id"

Key = tuple[str, int]
"""A digest and -1, or a request id and which image of the request."""


@dataclass(frozen=True, slots=True)
class LabelFile:
    """What a file says.

    Attributes:
        labels: label of each image; of two rows for one image the later counts.
        contradicted: images of which two rows say different labels.
        left_out: rows that could not be understood.
        problems: what was wrong with the first of them, in words.
    """

    labels: Mapping[Key, str]
    contradicted: frozenset[Key]
    left_out: int
    problems: tuple[str, ...]


def read_label_file(path: Path, classes: Iterable[str] = ()) -> LabelFile:
    """Reads a file of labels.

    Args:
        path: of the file.
        classes: of the model. One that is called NA is no missing label, and 3.0 is the class 3:
            many programs write it so where cells of its column are empty.

    Raises:
        BadDataError: it is of no known kind, too large, cannot be read, or lacks the columns.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise BadDataError(
            f"Expected a file that ends in {', '.join(SUFFIXES)}; got {path}. Save it as one of "
            "these."
        )
    content = _content(path)
    rows = {".parquet": _parquet_rows, ".jsonl": _json_rows}.get(suffix, _csv_rows)
    names = {f"{name}.0": name for name in classes if name.isdecimal()}
    names |= {name: name for name in classes}
    labels: dict[Key, str] = {}
    contradicted: set[Key] = set()
    problems: list[str] = []
    left_out = 0
    for number, cells in rows(path, content):
        found = cells if isinstance(cells, str) else _understood(cells)
        if isinstance(found, str):
            left_out += 1
            if len(problems) < _SHOWN:
                problems.append(f"row {number}: {found}")
        elif found is not None and (found[1] in names or not is_missing(found[1])):
            key, name = found[0], names.get(found[1], found[1])
            if labels.setdefault(key, name) != name:
                contradicted.add(key)
            labels[key] = name
    if left_out and not labels:
        raise BadDataError(f"None of the {left_out:,} labels in {path} can be used: {problems[0]}.")
    return LabelFile(labels, frozenset(contradicted), left_out, tuple(problems))


def _understood(cells: Mapping[str, Any]) -> tuple[Key, str] | str | None:
    """An image and its label; or what is wrong; or None for a row without a label."""
    texts = {name: _as_text(cells.get(name)) for name in ("label", "digest", "request_id")}
    label = texts["label"]
    if label is None or (isinstance(label, str) and not label.strip()):
        return None
    for name, value in texts.items():
        if value is not None and not isinstance(value, str):
            return f"its {name} is no text"
        if value is not None and len(value) > _LONGEST:
            return f"its {name} has more than {_LONGEST} characters"
    digest, request = (str(texts[name] or "").strip() for name in ("digest", "request_id"))
    if digest:
        if not _DIGEST.fullmatch(digest):
            return "its digest is not 64 hex digits"
        return (digest.lower(), -1), one_form(str(label))
    if not request:
        return "it has neither digest nor request_id"
    row = _whole(cells.get("row"))
    if row is None:
        return "its row is no whole number from 0"
    return (request, row), one_form(str(label))


def _as_text(value: Any) -> Any:
    """What stands for text as text: bytes, and whole numbers; tables know no other kind of them."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, float):
        if math.isnan(value):
            return None
        value = int(value) if value.is_integer() else value
    return str(value) if type(value) is int and abs(value) < _MOST_WHOLE else value


def _whole(value: Any) -> int | None:
    text = _as_text(value)
    if text is None or (isinstance(text, str) and not text.strip()):
        return 0
    if isinstance(text, str) and _ROW.fullmatch(text):
        return int(float(text))
    return None


def _content(path: Path) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would wait for its writer
        with os.fdopen(file, "rb") as opened:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise BadDataError(f"{path} is a folder, a device or a pipe; expected a file.")
            content = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadDataError(f"{path} cannot be read: {error.strerror or error}.") from error
    if len(content) > MOST_BYTES:
        raise BadDataError(f"{path} is larger than {MOST_BYTES:,} bytes: divide it.")
    return content


def _text(path: Path, content: bytes) -> str:
    try:
        return decoded(content)
    except ValueError as error:
        raise BadDataError(f"{path} cannot be read: {error}.") from None


def _csv_rows(path: Path, content: bytes) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    text = _text(path, content)
    header = text.lstrip().partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t|", key=header.count))
    columns: list[str] | None = None
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as error:
            yield reader.line_num, f"it is not CSV ({error})"
            continue
        if columns is None and not any(cells):
            continue
        if columns is None:
            columns = [name.strip().lower() for name in cells]
            _check(path, columns)
        elif cells and len(cells) != len(columns):
            yield reader.line_num, f"it has {len(cells)} cells under {len(columns)} columns"
        elif cells:
            yield reader.line_num, dict(zip(columns, cells, strict=True))
    if columns is None:
        raise BadDataError(f"{path} is empty; {_WANTED}.")


def _json_rows(path: Path, content: bytes) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    for number, line in enumerate(io.StringIO(_text(path, content)), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            yield number, "it is not JSON"
        else:
            yield number, row if isinstance(row, dict) else "it is no JSON object"


def _parquet_rows(path: Path, content: bytes) -> Iterator[tuple[int, Mapping[str, Any] | str]]:
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        ours = {name: name.strip().lower() for name in file.schema_arrow.names}
        columns = [name for name in ours if ours[name] in _COLUMNS]
        _check(path, list(ours.values()))
        number = 0
        for batch in file.iter_batches(_BATCH, columns=columns):
            for row in batch.to_pylist():
                number += 1
                yield number, {ours[name]: value for name, value in row.items()}
    except (pa.ArrowException, OSError) as error:
        raise BadDataError(f"{path} is no whole Parquet file ({error}).") from error


def _check(path: Path, columns: list[str]) -> None:
    has_key = "digest" in columns or "request_id" in columns
    twice = len(set(columns) & set(_COLUMNS)) < sum(name in _COLUMNS for name in columns)
    if "label" not in columns or not has_key or twice:
        shown = ", ".join(repr(name) for name in columns[:20])
        raise BadDataError(
            f"The first row of {path} has to name its columns; {_WANTED}, each once; got {shown}."
        )
