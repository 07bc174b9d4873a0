r"""A CSV or JSON Lines file that names each image, its label and, optionally, its split.

CSV has a header with the columns `path`, `label` and optionally `split` (or what `data.columns`
calls them), in any order, among others; commas, semicolons, tabs or bars between them. JSON Lines
has an object on each line, with the same keys. Paths are relative to the manifest, or to
`data.images`. Where there is no file of that very name, `a\b.jpg` is `a/b.jpg`, composed accents
are decomposed ones, `a` is `a.jpg`, and `a.JPG` too. A row without a split, where others have one,
joins the training images.

Every row that is not blank ends as an image, or with its reason among what is left out:

- A row of nothing but separators, one that `data.ignore` matches, and the repeat of an earlier row
  are passed over.
- A repeat that says something else in a further label column is refused.
- The same path under two labels is two images, of which validation makes a finding; in two splits
  the later row is refused.
- `data.group` may name a column; a row with an empty group there is a group of its own.
- `data.further_labels` and `evaluation.slices` name further columns, whose values travel with the
  image; in one of the former an empty cell is no label, and a list or a text of several is refused.
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.columns import check_columns, column_name
from components.example_gen.sources.entries import (
    LeftOut,
    Listing,
    SourceFile,
    Stamp,
    canonical_split,
    printable,
    train_where_unsaid,
)
from components.example_gen.sources.file_kinds import inspect
from components.example_gen.sources.groups import in_groups
from components.example_gen.sources.ignored import ignored
from components.example_gen.sources.manifest_columns import (
    UNASSIGNED,
    as_written,
    expected,
    what_is_missing,
)
from components.example_gen.sources.manifest_rows import Row, csv_rows, json_rows
from components.example_gen.sources.manifest_text import read_text
from components.example_gen.sources.named_files import images_folder, other_ways
from components.example_gen.sources.one_label import (
    ONE_LABEL,
    RefusedError,
    further_label_of,
    label_of,
    without_joined,
)
from components.example_gen.sources.refusals import RefusedSourceError, describe_all
from models.data import example_schema
from models.errors import BadDataError

_DRIVE = re.compile(r"[A-Za-z]:[\\/]")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://|file:")
_SHOWN = 200
_NAMED = 5
_ELSEWHERE = "data.images may name the folder of this machine that has the images"


def list_manifest(path: str, settings: IngestSettings, columns: Sequence[str] = ()) -> Listing:
    """Lists the images of a manifest.

    Args:
        path: an existing `.csv`, `.tsv` or `.jsonl` file.
        settings: how its text is decoded, what is passed over, and where the group stands.
        columns: whose values are wanted, in any case.

    Returns:
        Its files, sorted by name; rows that cannot be used are among what is left out.

    Raises:
        BadDataError: it cannot be read, lacks the columns, or has no row that can be used.
        UsageError: it lacks one of `columns`, or the pattern of `data.group` takes too long.
    """
    reader, meanings = _Reader(path, settings, columns), settings.columns.meanings
    files: list[SourceFile] = []
    left_out: list[LeftOut] = []
    for row in _rows(path, settings, columns):
        entry = reader.entry(row)
        if isinstance(entry, SourceFile):
            files.append(entry)
        else:
            left_out.append(entry)
    if not files and not left_out:
        raise BadDataError(f"{path} has no rows; {expected(meanings)}, and one row an image.")
    check_columns(columns, reader.found, path, settings)
    files, refused = without_joined(files, columns, settings.further_labels)
    left_out += refused
    if not files:
        base = settings.images or "the manifest (or to data.images)"
        lacks = what_is_missing(as_written(reader.found, meanings), meanings, {})
        help_words = f"{expected(meanings).capitalize()}, paths relative to {base}."
        raise RefusedSourceError(
            f"None of the {len(left_out)} rows of {path} can be used. {describe_all(left_out)}"
            f" {f'It {lacks}' if reader.found and lacks else help_words}",
            left_out,
        )
    files = train_where_unsaid(reader.in_groups(files))
    used = {"path", "label", "split", *map(column_name, (settings.group, *columns))}
    unread = as_written(reader.found - used - {""}, meanings)
    return Listing(
        "manifest",
        path,
        tuple(sorted(files, key=lambda file: file.name)),
        tuple(sorted(left_out)),
        _said(unread),
    )


def _said(unread: Sequence[str]) -> str:
    """Names columns that nobody asked for: one may be what the user takes for the split."""
    if not unread:
        return ""
    more = ", …" if len(unread) > _NAMED else ""
    return f"a manifest; not read: {printable(', '.join(unread[:_NAMED]))}{more}"


def _rows(path: str, settings: IngestSettings, columns: Sequence[str]) -> Iterator[Row]:
    text = read_text(path, settings.encoding)
    names = settings.columns.meanings
    if path.lower().endswith(".jsonl"):
        return json_rows(text, names)
    optional = ("split", column_name(settings.group), *map(column_name, columns))
    return csv_rows(path, text, optional, names)


class _Reader:
    """Makes entries of rows, and knows those that came before.

    Attributes:
        found: names of all columns that any row had.
    """

    def __init__(self, path: str, settings: IngestSettings, columns: Sequence[str]) -> None:
        self.found: set[str] = set()
        self._path = path
        self._folder = images_folder(path, settings)
        self._settings = settings
        self._column = column_name(settings.group)
        self._has_column = False
        self._slices = [column_name(column) for column in columns]
        self._seen: dict[str, dict[str, tuple[str, int, tuple[str, ...]]]] = {}

    def entry(self, row: Row) -> SourceFile | LeftOut:
        """Returns what a row is: a file to ingest, or why it is not used."""
        name = f"{printable(Path(self._path).name)}:{row.number}"
        self.found.update(row.cells)
        try:
            if row.problem:
                raise RefusedError("bad_row", row.problem)
            if not any(cell is not None and str(cell).strip() for cell in row.cells.values()):
                return LeftOut(name, "empty_row", f"line {row.number} is empty", "passed_over")
            path = _path_of(row.cells.get("path"))
            name = printable(path)
            if len(name) > _SHOWN:
                name = name[:_SHOWN] + "…"
            if one := ignored(name, self._settings):
                return one
            return self._file(row, path)
        except RefusedError as error:
            return LeftOut(name, error.code, f"line {row.number}: {error.reason}")

    def in_groups(self, files: list[SourceFile]) -> list[SourceFile]:
        """Takes the group from the paths where no column names it."""
        if not self._column or self._has_column:
            return files
        return in_groups(files, self._settings)

    def _file(self, row: Row, path: str) -> SourceFile | LeftOut:
        label = label_of(row.cells.get("label"))
        split = _split_of(row.cells.get("split"))
        location, stamp = self._locate(path)
        name = printable(path)
        group = self._group(row)
        further = self._settings.further_labels
        slices = tuple(
            further_label_of(row.cells.get(column), column)
            if column in further
            else _slice_of(row, column)
            for column in self._slices
        )
        part = split or example_schema.TRAIN
        before = self._seen.setdefault(location, {})
        if label in before:
            earlier, number, told = before[label]
            if earlier == part:
                self._refuse_another_label(slices, told, number)
                reason = f"line {row.number} repeats line {number}"
                return LeftOut(name, "duplicate_row", reason, "passed_over")
            raise RefusedError(
                "two_splits", f"it puts the image into {part}, line {number} into {earlier}"
            )
        before[label] = part, row.number, slices
        return SourceFile(location, name, label, split, stamp, group, slices)

    def _refuse_another_label(
        self, slices: tuple[str, ...], before: tuple[str, ...], number: int
    ) -> None:
        """Refuses a repeat that says something else in a further label column."""
        columns = [
            column
            for column, one, other in zip(self._slices, slices, before, strict=True)
            if one != other and column in self._settings.further_labels
        ]
        if columns:
            told = " and ".join(columns)
            reason = f"it gives another label in {told} than line {number}; {ONE_LABEL}"
            raise RefusedError("several_labels", reason)

    def _group(self, row: Row) -> str:
        if not self._column or self._column not in row.cells:
            return ""
        self._has_column = True
        value = row.cells[self._column]
        if isinstance(value, (list, dict)):
            raise RefusedError("bad_group", "the group is a list or an object; expected a text")
        return "" if value is None else printable(str(value).strip())

    def _locate(self, path: str) -> tuple[str, Stamp]:
        """Finds the file that a row means."""
        outcome = self._inspect(path)
        if not isinstance(outcome, LeftOut):
            return str(self._folder / path), outcome
        if self._settings.images or not (_DRIVE.match(path) or _ADDRESS.match(path)):
            for other in other_ways(path, self._settings):
                found = self._inspect(other)
                if not isinstance(found, LeftOut):
                    return str(self._folder / other), found
        elif _DRIVE.match(path):
            raise RefusedError(
                "unreadable",
                f"the path begins with a drive of Windows; expected one relative to the manifest."
                f" {_ELSEWHERE}",
            )
        else:
            raise RefusedError(
                "unreadable",
                "it is an address; expected the path of a file of this machine, relative to the"
                f" manifest or absolute. {_ELSEWHERE}",
            )
        if Path(path).is_absolute() and not self._settings.images:
            raise RefusedError(outcome.code, f"{outcome.reason}. {_ELSEWHERE}")
        raise RefusedError(outcome.code, outcome.reason)

    def _inspect(self, path: str) -> Stamp | LeftOut:
        try:
            return inspect(self._folder / path, "")
        except ValueError:  # a zero byte or half a character: no file system has such a name
            raise RefusedError(
                "bad_path", "the path holds a zero byte or half a character"
            ) from None


def _slice_of(row: Row, column: str) -> str:
    value = row.cells.get(column)
    if isinstance(value, (list, dict)):
        raise RefusedError(
            "bad_slice", f"{column} is a list or an object; expected a text (evaluation.slices)"
        )
    return "" if value is None else printable(str(value).strip())


def _path_of(value: Any) -> str:
    if value is None or value == "":
        raise RefusedError("no_path", "the row names no image")
    if not isinstance(value, str):
        raise RefusedError("bad_path", "the path is no text")
    if not value.strip():
        raise RefusedError("no_path", "the row names no image")
    return value.strip()


def _split_of(value: Any) -> str | None:
    written = "" if value is None else str(value).strip()
    split = canonical_split(written)
    if written and split is None and written.lower() != UNASSIGNED:
        shown = printable(written)[:_SHOWN]
        raise RefusedError(
            "not_a_split", f"the split is {shown!r}; expected train, validation or test"
        )
    return split
