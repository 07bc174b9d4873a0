"""Where ML Metadata of a workspace lies, and what is done to it before and after a run."""

import os
import socket
import sqlite3
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from models.errors import UsageError
from models.storage.atomic_write import write_atomically
from pipeline.metadata_address import MetadataAddress, open_connection
from pipeline.metadata_store import MetadataFile, MetadataStoreError
from pipeline.workspace import Workspace

_OWNER: Final = "graft.Workspace"
"""Type of the context whose name says of which workspace a database is."""
_OWN_ID: Final = "metadata.id"
_VARIABLE: Final = "GRAFT_METADATA"
"""In the environment: where the records of a workspace lie that no configuration says it of."""
_REACH_SECONDS: Final = 10.0
_NO_REASON: Final = "PostgreSQL metadata source error"
"""All that ML Metadata says where PostgreSQL lets nobody in."""

FAILURES: Final = (mlmd.errors.StatusError, sqlite3.Error, RuntimeError)
"""What ML Metadata raises where its store is damaged, or gone."""


class MetadataPlace(Protocol):
    """Where ML Metadata of a workspace lies."""

    @property
    def is_there(self) -> bool:
        """Whether anything was ever recorded."""

    def connection(self, *, writes: bool) -> metadata_store_pb2.ConnectionConfig:
        """How ML Metadata opens it.

        Args:
            writes: whether anything is going to be changed.
        """

    def check(self) -> None:
        """Checks it before anything reads it.

        Raises:
            MetadataStoreError: it is damaged, or cannot be reached.
            UsageError: it is of another workspace.
        """

    def begin_writing(self) -> None:
        """Call before it is changed.

        Raises:
            OSError: what is known of it cannot be taken back.
        """

    def end_writing(self) -> None:
        """Call when it was changed."""

    def unreadable(self, cause: object) -> MetadataStoreError:
        """The error for a store that cannot be read, with what to do about it.

        Args:
            cause: what was found.
        """


def place_of(workspace: Workspace) -> MetadataPlace:
    """Where ML Metadata of a workspace lies.

    The address of a database comes from the user alone. A workspace may be somebody else's, and
    nothing in it is to make Graft connect to a server, or send it a password.

    Raises:
        UsageError: the variable that is to hold the address does not, or holds none; or the
            records lie in a database, and nobody says in which.
    """
    own = workspace.root / _OWN_ID
    if workspace.metadata_uri:
        return MetadataDatabase(_address(workspace.metadata_uri), own)
    if not own.is_file():
        return MetadataFile(workspace.metadata)
    if not os.environ.get(_VARIABLE):
        raise UsageError(
            f"The records of {workspace.root} lie in a database. Expected metadata.uri to say "
            "where: name its configuration with --config, or set the environment variable "
            f"{_VARIABLE} to the address. To begin anew with a file, delete {own}."
        )
    return MetadataDatabase(_address(f"${_VARIABLE}"), own)


def open_store(workspace: Workspace, *, writes: bool) -> mlmd.MetadataStore:
    """Opens what `place_of` names.

    Raises:
        Exception: one of `FAILURES`.
    """
    return open_connection(place_of(workspace).connection(writes=writes))


@dataclass(frozen=True)
class MetadataDatabase:
    """A database of one workspace alone.

    It tells damage by itself. That of two workspaces would not do: a run takes what it finds under
    way for its own that was killed, and what was blessed for its own past.

    Attributes:
        address: where it is.
        own: file that says which workspace this is.
    """

    address: MetadataAddress
    own: Path

    @property
    def is_there(self) -> bool:
        """See `MetadataPlace`; a workspace has asked before it records anything."""
        return self.own.is_file()

    def connection(self, *, writes: bool) -> metadata_store_pb2.ConnectionConfig:
        """See `MetadataPlace`; what only reads is not held to it."""
        del writes
        return self.address.connection()

    def check(self) -> None:
        """See `MetadataPlace`; a database of nobody will do, as who writes takes it."""
        try:
            # ML Metadata waits as long as the network does.
            reach = (self.address.host, self.address.port)
            socket.create_connection(reach, _REACH_SECONDS).close()
            owners = _owners(self._store())
        except (*FAILURES, OSError) as error:
            raise self.unreadable(error) from None
        own = self._own_id()
        if owners and own not in owners:
            raise UsageError(
                f"metadata.uri: {self.address} belongs to another workspace than "
                f"{self.own.parent}. Give each workspace a database of its own, and name that of "
                "this one."
            )

    def begin_writing(self) -> None:
        """See `MetadataPlace`; the first workspace that writes takes the database."""
        if not self.is_there:
            self.own.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self.own, uuid.uuid4().hex.encode())
        store = self._store()
        if not _owners(store):
            kind = store.put_context_type(metadata_store_pb2.ContextType(name=_OWNER))
            context = metadata_store_pb2.Context(type_id=kind, name=self._own_id())
            store.put_contexts([context])

    def end_writing(self) -> None:
        """See `MetadataPlace`."""

    def unreadable(self, cause: object) -> MetadataStoreError:
        """See `MetadataPlace`."""
        reason = str(cause).strip().partition("\n")[0].rstrip(".:")
        if reason == _NO_REASON:
            reason += " (its own words are in the log of the run, or in the lines above)"
        return MetadataStoreError(
            f"The metadata store {self.address} cannot be read: {reason}. Expected a database of "
            f"{self.address.server} that is there, and a user and password of its address that "
            "may use it."
        )

    def _store(self) -> mlmd.MetadataStore:
        return open_connection(self.connection(writes=True))

    def _own_id(self) -> str:
        return self.own.read_text("ascii").strip() if self.is_there else ""


def _owners(store: mlmd.MetadataStore) -> set[str]:
    """The workspaces that a database is of."""
    return {each.name for each in store.get_contexts_by_type(_OWNER)}


def _address(uri: str) -> MetadataAddress:
    address = os.environ.get(uri[1:], "") if uri.startswith("$") else uri
    try:
        return MetadataAddress.parse(address)
    except ValueError:
        raise UsageError(
            f"metadata.uri: expected the environment variable {uri[1:]} to hold "
            "mysql://USER:PASSWORD@HOST:PORT/DATABASE, with ?tls or without, or "
            "postgresql://USER:PASSWORD@HOST:PORT/DATABASE, and "
            "other signs than letters and digits in user and password as % and two digits. It "
            + ("holds something else." if address else "is empty.")
        ) from None
