"""The SQLite file of ML Metadata: whether it is what the last run left, and words where it is not.

SQLite finds damage to its own structure alone, and that often only when a query comes upon it. So a
run leaves the digest of the file when it ends, and takes it away when it begins: a file with a
digest is checked byte for byte. After a kill there is none, and SQLite's own check must do.
"""

import contextlib
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2

from components.artifact_names import FORMER_TYPES
from models.errors import GraftError
from models.storage.atomic_write import write_atomically
from models.storage.seals import file_digest


class MetadataStoreError(GraftError):
    """The metadata store is damaged."""


@dataclass(frozen=True)
class MetadataFile:
    """An SQLite file of the workspace, as a `pipeline.metadata_place.MetadataPlace`.

    Attributes:
        file: there or not.
    """

    file: Path

    @property
    def is_there(self) -> bool:
        """See `MetadataPlace`."""
        return self.file.is_file()

    @property
    def digest_file(self) -> Path:
        """Where the digest of the store lies."""
        return self.file.with_name(f"{self.file.name}.sha256")

    def connection(self, *, writes: bool) -> metadata_store_pb2.ConnectionConfig:
        """See `MetadataPlace`."""
        kind = metadata_store_pb2.SqliteMetadataSourceConfig
        config = metadata_store_pb2.ConnectionConfig()
        config.sqlite.filename_uri = str(self.file)
        config.sqlite.connection_mode = kind.READWRITE_OPENCREATE if writes else kind.READONLY
        return config

    def check(self) -> None:
        """Checks the file before anything reads it; there is nothing to check where there is none.

        Raises:
            MetadataStoreError: it is damaged; says how to go on.
        """
        if not self.is_there:
            return
        recorded = self.digest_file
        try:
            expected = recorded.read_bytes().decode("ascii", "replace").strip()
        except FileNotFoundError:
            expected = None
        except OSError as error:
            raise self.unreadable(f"{recorded} cannot be read ({error.strerror})") from None
        try:
            if expected is not None and file_digest(self.file) != expected:
                raise self.unreadable(
                    f"it is not what the last run left (whose digest is in {recorded}; if you "
                    "changed the store yourself, delete that file)"
                )
        except OSError as error:
            raise self.unreadable(error.strerror or str(error)) from None
        self._ask_sqlite()

    def begin_writing(self) -> None:
        """Takes the digest away before a run changes the store, and brings names up to date.

        Raises:
            OSError: the digest cannot be deleted.
            sqlite3.Error: the store cannot be written.
        """
        # The store may have been moved away, and its digest speaks of no other.
        self.digest_file.unlink(missing_ok=True)
        if self.is_there:
            self._rename_former_types()

    def end_writing(self) -> None:
        """Leaves the digest of the store when a run ends; without it, less can be checked."""
        if self.file.with_name(f"{self.file.name}-journal").exists():
            # A transaction was broken off; SQLite takes it back when the store is next opened.
            return
        with contextlib.suppress(OSError):
            write_atomically(self.digest_file, f"{file_digest(self.file)}\n".encode())

    def unreadable(self, cause: object) -> MetadataStoreError:
        """The error for a damaged store, with what to do about it.

        Args:
            cause: what was found; of an error of ML Metadata, which quotes SQL, the first part.
        """
        reason = str(cause).strip().partition("\n")[0].partition(" query: ")[0].rstrip(".:")
        return MetadataStoreError(
            f"The metadata store {self.file} cannot be read: {reason}. Move it away to start "
            "afresh (images are read again; the pushed models stay)."
        )

    def _rename_former_types(self) -> None:
        """Gives artifact types that an earlier Graft named the names that they have now.

        Without it, a workspace would lose what its searches learned and all that TFX has in its
        cache. ML Metadata itself renames no type.
        """
        with contextlib.closing(sqlite3.connect(self.file)) as connection, connection:
            if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'Type'").fetchone():
                return
            for old, new in FORMER_TYPES.items():
                is_new = "NOT EXISTS (SELECT 1 FROM Type WHERE name = :new)"
                statement = f"UPDATE Type SET name = :new WHERE name = :old AND {is_new}"
                connection.execute(statement, {"old": old, "new": new})

    def _ask_sqlite(self) -> None:
        named = "SELECT name FROM sqlite_master WHERE name = 'Artifact'"
        try:
            with contextlib.closing(sqlite3.connect(self.file)) as connection:
                (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
                is_new = connection.execute(named).fetchone() is None
        except sqlite3.Error as error:
            raise self.unreadable(error) from None
        if answer != "ok":
            raise self.unreadable(answer)
        # An empty file is a new store to SQLite, and what a kill or a full disk leaves at the very
        # beginning, before there is any artifact (<node>/<output key>/<execution>).
        if is_new and any((self.file.parent / "artifacts").glob("*/*/[0-9]*")):
            raise self.unreadable("there is nothing of ML Metadata in it")
