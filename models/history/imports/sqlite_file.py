"""Asks an SQLite file that anybody may have written.

It is opened read-only, nothing in it is run (a view or a trigger may stand for a table), and how
long an answer takes and how much it holds is bounded.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from models.history.imports.bounded import MOST_BYTES
from models.history.imports.foreign_past import ForeignPastError

SIGNATURE = b"SQLite format 3\x00"
"""What such a file begins with."""

_MOST_FILE_BYTES = 2**30
_MOST_ROWS = 1_000_000
_MOST_CHARACTERS = 100_000
_INSTRUCTIONS = 1_000_000
_MOST_STEPS = 200
"""Of so many instructions of SQLite: about a minute for one answer."""

Rows = list[tuple[Any, ...]]


class SqliteFile:
    """An open file.

    Attributes:
        path: of the file.
        tables: the columns of each table, by its name.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        self._steps = 0
        connection.set_progress_handler(self._is_too_long, _INSTRUCTIONS)
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        names = self.ask("SELECT name FROM sqlite_master WHERE type = 'table' LIMIT 1000")
        columns = "SELECT name FROM pragma_table_info(?)"
        self.tables = {
            name: tuple(column for (column,) in self.ask(columns, name)) for (name,) in names
        }

    def ask(self, question: str, *values: object) -> Rows:
        """The rows of an answer.

        Raises:
            ForeignPastError: they are too many.
        """
        self._steps = 0
        rows: Rows = []
        left = MOST_BYTES
        for row in self._connection.execute(question, values):
            rows.append(row)
            left -= sum(len(value) for value in row if isinstance(value, str))
            if len(rows) > _MOST_ROWS or left < 0:
                raise ForeignPastError(
                    f"{self.path}: one search has more than {_MOST_ROWS:,} figures, or more than "
                    f"{MOST_BYTES >> 20} MiB of text"
                )
        return rows

    def has_column(self, table: str, column: str) -> bool:
        """Whether a table has a column; older versions of a tuner had fewer."""
        return column in self.tables.get(table, ())

    def _is_too_long(self) -> bool:
        self._steps += 1
        return self._steps > _MOST_STEPS


@contextmanager
def opened(path: Path) -> Iterator[SqliteFile]:
    """Opens a file, and turns what goes wrong with it into words.

    Raises:
        ForeignPastError: it cannot be read, or is larger than 1 GiB.
    """
    try:
        if path.stat().st_size > _MOST_FILE_BYTES:
            raise ForeignPastError(f"{path}: larger than {_MOST_FILE_BYTES >> 20} MiB")
        uri = f"{path.absolute().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            yield SqliteFile(path, connection)
    except OSError as error:
        raise ForeignPastError(f"{path}: {error.strerror or error}") from None
    except (sqlite3.Error, UnicodeDecodeError) as error:
        # Python cannot decode what SQLite says of a file with damaged names.
        raise ForeignPastError(
            f"{path}: cannot be read as an SQLite file ({error}). If a search is at work on it, "
            "import a copy, or wait for its end."
        ) from None


def as_text(column: str) -> str:
    """SQL for the beginning of a text, however long somebody made it."""
    return f"COALESCE(substr(CAST({column} AS TEXT), 1, {_MOST_CHARACTERS}), '')"
