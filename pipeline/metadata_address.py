"""The address of a database for ML Metadata, and how ML Metadata connects to it."""

import re
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote, urlsplit

import ml_metadata as mlmd
from ml_metadata.proto import metadata_store_pb2

from pipeline.metadata_settings import MYSQL, POSTGRESQL, TLS
from pipeline.postgresql_store import PostgreSQLStore

_PORTS: Final = {MYSQL: 3306, POSTGRESQL: 5432}
_SERVERS: Final = {MYSQL: "MySQL or MariaDB", POSTGRESQL: "PostgreSQL"}


@dataclass(frozen=True)
class MetadataAddress:
    """An address taken apart.

    Attributes:
        scheme: of `MYSQL` and `POSTGRESQL`.
        user: who asks.
        password: empty for none.
        host: where the server is.
        port: where it listens.
        database: its name.
        encrypted: whether the connection has to be.
    """

    scheme: str
    user: str
    password: str = field(repr=False)
    host: str
    port: int
    database: str
    encrypted: bool

    @classmethod
    def parse(cls, address: str) -> "MetadataAddress":
        """Takes one apart.

        Args:
            address: SCHEME://USER:PASSWORD@HOST:PORT/DATABASE; password and port may be left out,
                and of MySQL there may be ?tls at the end.

        Raises:
            ValueError: it is none.
        """
        parts = urlsplit(address)
        found = cls(
            scheme=parts.scheme,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            host=parts.hostname or "",
            port=_PORTS.get(parts.scheme, 0) if parts.port is None else parts.port,
            database=unquote(parts.path[1:]),
            encrypted=parts.query == TLS,
        )
        allowed = ("", TLS) if found.scheme == MYSQL else ("",)
        named = found.user and found.host and found.port and found.database
        if not named or parts.query not in allowed or parts.fragment:
            raise ValueError("not the address of a database")
        return found

    @property
    def server(self) -> str:
        """What listens there."""
        return _SERVERS[self.scheme]

    def connection(self) -> metadata_store_pb2.ConnectionConfig:
        """How ML Metadata connects to it."""
        config = metadata_store_pb2.ConnectionConfig()
        if self.scheme == POSTGRESQL:
            self._fill_postgresql(config.postgresql)
        else:
            self._fill_mysql(config.mysql)
        return config

    def __str__(self) -> str:
        """The address without the password."""
        return f"{self.scheme}://{self.user}@{self.host}:{self.port}/{self.database}"

    def _fill_mysql(self, config: metadata_store_pb2.MySQLDatabaseConfig) -> None:
        config.host, config.port, config.user = self.host, self.port, self.user
        config.database = self.database
        config.skip_db_creation = True
        if self.password:
            config.password = self.password
        if self.encrypted:
            # That the section is there asks for encryption. To verify the server ends every
            # connection of ML Metadata 1.21, whatever its certificate.
            config.ssl_options.verify_server_cert = False

    def _fill_postgresql(self, config: metadata_store_pb2.PostgreSQLDatabaseConfig) -> None:
        config.host, config.user = _quoted(self.host), _quoted(self.user)
        config.port, config.dbname = str(self.port), _quoted(self.database)
        config.skip_db_creation = True
        if self.password:
            config.password = _quoted(self.password)


def open_connection(connection: metadata_store_pb2.ConnectionConfig) -> mlmd.MetadataStore:
    """Opens a store.

    Args:
        connection: to a file or to a database.

    Raises:
        RuntimeError: it cannot be opened.
    """
    kind = PostgreSQLStore if connection.HasField("postgresql") else mlmd.MetadataStore
    return kind(connection)


def _quoted(value: str) -> str:
    """A value as PostgreSQL's list of settings has it; ML Metadata puts it there as it is."""
    return "'" + re.sub(r"(['\\])", r"\\\1", value) + "'"
