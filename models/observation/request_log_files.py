"""How the files of a request log are named, written and read back.

A server appends to a segment (`segment.py`). One that is finished becomes a Parquet file of the
same name with the same rows, so that a place in the log is a name and a row, whichever of the two
there is. Names sort by the time at which their files were begun.
"""

import contextlib
import os
import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from models.observation.log_entry import Counts, Entry, decode, table_of
from models.observation.request_record import RECORD
from models.observation.segment import read_segment

SEGMENT: Final = ".segment"
PARQUET: Final = ".parquet"
_NAME: Final = re.compile(r"[0-9]{16}-[0-9a-f]{8}")
_COUNTS: Final = b"graft.counts"
_FORMAT: Final = b"graft.format"
_VERSION: Final = b"1"
_ROWS_AT_ONCE: Final = 65_536
_MOST_ROWS: Final = 1_000_000
_MOST_METADATA: Final = 64 * 2**20


class LogFileError(ValueError):
    """A file of the log that is damaged, or is none, or cannot be read now.

    Attributes:
        may_pass: whether the file may be whole: a right, a disk or a mount was in the way.
    """

    def __init__(self, path: Path, error: Exception) -> None:
        """Names the file, and what its reader said."""
        self.may_pass = isinstance(error, OSError) and error.errno is not None
        words = error.strerror if self.may_pass and isinstance(error, OSError) else str(error)
        first = (words or type(error).__name__).splitlines()[0][:300]
        super().__init__(f"{path}: {first}")


def new_name() -> str:
    """A name that no other file of the log has; later ones sort behind it."""
    return f"{time.time_ns() // 1000:016d}-{secrets.token_hex(4)}"


@dataclass(frozen=True)
class LogFile:
    """A file of the log.

    Attributes:
        folder: of the log.
        name: without its ending.
    """

    folder: Path
    name: str

    @property
    def segment(self) -> Path:
        """Where a server appends."""
        return self.folder / (self.name + SEGMENT)

    @property
    def parquet(self) -> Path:
        """What it becomes."""
        return self.folder / (self.name + PARQUET)

    def batches(self, first_row: int = 0) -> Iterator[pa.RecordBatch]:
        """Rows from `first_row` on, columns as in `RECORD`; none where the file is gone.

        Raises:
            LogFileError: it is damaged, after the rows that are whole, or is no file of a log.
        """
        while not self.parquet.exists():
            found = _segment_table(self.segment, first_row)
            if found is not None:
                table, error = found
                yield from table.to_batches(_ROWS_AT_ONCE)
                if error is not None:
                    raise error
                return
            if not self.parquet.exists():
                return
        yield from _parquet_batches(self.parquet, first_row)

    def counts(self) -> Counts:
        """What all its answers came to; nothing where the file is gone.

        Raises:
            LogFileError: it is damaged, or is no file of a log.
        """
        if self.parquet.exists():
            with _parquet(self.parquet) as file:
                return _counts_of(file)
        counts = Counts()
        try:
            for entry in _entries(self.segment):
                counts.add(entry)
        except (FileNotFoundError, LogFileError):
            pass  # gone, or damaged from here on
        except OSError as error:
            raise LogFileError(self.segment, error) from error
        return counts


def log_files(folder: Path) -> tuple[LogFile, ...]:
    """The files of a log in the order of their names; others, and what is no file, are left out.

    Raises:
        OSError: the folder cannot be read.
    """
    stems = {
        path.name.removesuffix(path.suffix)
        for path in folder.iterdir()
        # One that is gone since was a file: a segment becomes another one at any moment.
        if path.suffix in (SEGMENT, PARQUET) and (path.is_file() or not path.exists())
    }
    return tuple(LogFile(folder, stem) for stem in sorted(stems) if _NAME.fullmatch(stem))


def is_of_log(path: Path) -> bool:
    """Whether a log named this file, whatever its ending says of its state."""
    return _NAME.fullmatch(path.name.partition(".")[0]) is not None


def write_parquet(file: LogFile) -> str:
    """Makes the Parquet file of a segment that nobody writes to any more, in one step.

    The segment is not deleted. One without an entry becomes no file.

    Returns:
        What was wrong with the segment, whose whole entries are kept; empty if nothing was.

    Raises:
        OSError: it cannot be read, or there is no room.
        LogFileError: it is no segment.
    """
    counts, entries, fault = Counts(), [], ""
    try:
        for entry in _entries(file.segment):
            counts.add(entry)
            entries.append(entry)
    except LogFileError as error:
        fault = str(error)
        if not entries:
            raise
    if not entries:
        return fault
    schema = RECORD.with_metadata({_FORMAT: _VERSION, _COUNTS: counts.to_json()})
    unfinished = file.parquet.with_suffix(".unfinished")
    try:
        table = table_of(entries).replace_schema_metadata(schema.metadata)
        pq.write_table(table, unfinished, compression="zstd")
        with unfinished.open("rb") as written:
            os.fsync(written.fileno())
        unfinished.replace(file.parquet)
    finally:
        unfinished.unlink(missing_ok=True)
    return fault


def _entries(path: Path) -> Iterator[Entry]:
    try:
        for content in read_segment(path):
            yield decode(content)
    except ValueError as error:
        raise LogFileError(path, error) from error


def _segment_table(path: Path, first_row: int) -> tuple[pa.Table, LogFileError | None] | None:
    """The whole rows of a segment, and what is wrong after them; None where it is gone."""
    entries: list[Entry] = []
    fault, passed = None, 0
    try:
        for entry in _entries(path):
            if entries or passed + entry.rows > first_row:
                entries.append(entry)
            else:
                passed += entry.rows
    except FileNotFoundError:
        return None
    except LogFileError as error:
        fault = error
    except OSError as error:
        fault = LogFileError(path, error)
    return table_of(entries).slice(first_row - passed), fault


@contextlib.contextmanager
def _parquet(path: Path) -> Iterator[pq.ParquetFile]:
    """Opens a Parquet file, whatever it holds; an error of its reader names it."""
    try:
        with pq.ParquetFile(
            path,
            thrift_string_size_limit=_MOST_METADATA,
            thrift_container_size_limit=_MOST_ROWS,
            pre_buffer=False,
        ) as file:
            yield file
    except (pa.ArrowException, OSError, ValueError) as error:
        raise LogFileError(path, error) from error


def _parquet_batches(path: Path, first_row: int) -> Iterator[pa.RecordBatch]:
    with _parquet(path) as file:
        if not file.schema_arrow.equals(RECORD):
            raise ValueError("its columns are not those of a request log")
        if file.metadata.num_rows > _MOST_ROWS:
            raise ValueError(f"it has more than {_MOST_ROWS:,} rows")
        left = first_row
        for batch in file.iter_batches(_ROWS_AT_ONCE, use_threads=False):
            batch.validate(full=True)
            if left < len(batch):
                yield batch.slice(left)
            left = max(0, left - len(batch))


def _counts_of(file: pq.ParquetFile) -> Counts:
    metadata = file.metadata.metadata or {}
    if metadata.get(_FORMAT) != _VERSION:
        raise ValueError("it is of another format than this version of Graft reads")
    return Counts.from_json(metadata.get(_COUNTS, b""))
