"""The SQLite file of ML Metadata: whether it is what the last run left, and words where it is not.

SQLite finds damage to its own structure alone, and that often only when a query comes upon it. So a
run leaves the digest of the file when it ends, and takes it away when it begins: a file with a
digest is checked byte for byte. After a kill there is none, and SQLite's own check must do.
"""

import contextlib
import sqlite3
from pathlib import Path

from components.artifact_names import FORMER_TYPES
from models.errors import GraftError
from models.storage.atomic_write import write_atomically
from models.storage.seals import file_digest


class MetadataStoreError(GraftError):
    """The metadata store is damaged."""


def digest_file(store: Path) -> Path:
    """Where the digest of the store lies.

    Args:
        store: the SQLite file.
    """
    return store.with_name(f"{store.name}.sha256")


def check_store(store: Path) -> None:
    """Checks the file before anything reads it.

    Raises:
        MetadataStoreError: it is damaged; says how to go on.
    """
    recorded = digest_file(store)
    try:
        expected = recorded.read_bytes().decode("ascii", "replace").strip()
    except FileNotFoundError:
        expected = None
    except OSError as error:
        raise unreadable(store, f"{recorded} cannot be read ({error.strerror})") from None
    try:
        if expected is not None and file_digest(store) != expected:
            raise unreadable(
                store,
                f"it is not what the last run left (whose digest is in {recorded}; if you changed "
                "the store yourself, delete that file)",
            )
    except OSError as error:
        raise unreadable(store, error.strerror or str(error)) from None
    _ask_sqlite(store)


def record_digest(store: Path) -> None:
    """Leaves the digest of the store when a run ends; without it, less can be checked."""
    if store.with_name(f"{store.name}-journal").exists():
        # A transaction was broken off; SQLite takes it back when the store is next opened.
        return
    with contextlib.suppress(OSError):
        write_atomically(digest_file(store), f"{file_digest(store)}\n".encode())


def forget_digest(store: Path) -> None:
    """Takes the digest away before a run changes the store.

    Raises:
        OSError: it cannot be deleted.
    """
    digest_file(store).unlink(missing_ok=True)


def rename_former_types(store: Path) -> None:
    """Gives artifact types that an earlier Graft named the names that they have now.

    Without it, a workspace would lose what its searches learned and all that TFX has in its cache.
    ML Metadata itself renames no type.

    Args:
        store: the SQLite file, which no other process has open for writing.

    Raises:
        sqlite3.Error: it cannot be written.
    """
    with contextlib.closing(sqlite3.connect(store)) as connection, connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'Type'").fetchone():
            return
        for old, new in FORMER_TYPES.items():
            is_new = "NOT EXISTS (SELECT 1 FROM Type WHERE name = :new)"
            statement = f"UPDATE Type SET name = :new WHERE name = :old AND {is_new}"
            connection.execute(statement, {"old": old, "new": new})


def unreadable(store: Path, cause: object) -> MetadataStoreError:
    """The error for a damaged store, with what to do about it.

    Args:
        store: the SQLite file.
        cause: what was found; of an error of ML Metadata, which quotes SQL, the first part.
    """
    reason = str(cause).strip().partition("\n")[0].partition(" query: ")[0].rstrip(".:")
    return MetadataStoreError(
        f"The metadata store {store} cannot be read: {reason}. Move it away to start afresh "
        "(images are read again; the pushed models stay)."
    )


def _ask_sqlite(store: Path) -> None:
    try:
        with contextlib.closing(sqlite3.connect(store)) as connection:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            tables = connection.execute("SELECT name FROM sqlite_master WHERE name = 'Artifact'")
            is_new = tables.fetchone() is None
    except sqlite3.Error as error:
        raise unreadable(store, error) from None
    if answer != "ok":
        raise unreadable(store, answer)
    # An empty file is a new store to SQLite, and what a kill or a full disk leaves at the very
    # beginning, before there is any artifact (<node>/<output key>/<execution>).
    if is_new and any((store.parent / "artifacts").glob("*/*/[0-9]*")):
        raise unreadable(store, "there is nothing of ML Metadata in it")
