"""Where the records of ML Metadata lie: the section `metadata`."""

import re
from typing import Final
from urllib.parse import urlsplit

from pydantic import field_validator

from models.settings import Section

MYSQL: Final = "mysql"
POSTGRESQL: Final = "postgresql"
TLS: Final = "tls"
"""Behind a question mark at the end of an address: the connection is encrypted."""
_PLACE: Final = r"://[^\s:@/?#]+@[^\s:@/?#]+(?::\d{1,5})?/[^\s:@/?#]+"
_ADDRESS: Final = re.compile(rf"{MYSQL}{_PLACE}(?:\?{TLS})?|{POSTGRESQL}{_PLACE}")


class MetadataSettings(Section):
    """Where ML Metadata keeps what every run read, made and decided."""

    uri: str = ""
    """Database of MySQL or MariaDB for this workspace alone, mysql://USER@HOST:PORT/DATABASE, with
    ?tls at the end for an encrypted connection, or of PostgreSQL, postgresql://USER@HOST:PORT/
    DATABASE, or $NAME of an environment variable that holds it, which may have USER:PASSWORD.
    Empty: the file metadata.sqlite of the workspace."""

    @field_validator("uri")
    @classmethod
    def _address_or_variable(cls, value: str) -> str:
        if value and not _is_whole(value) and not re.fullmatch(r"\$[A-Za-z_]\w*", value):
            raise ValueError(
                "mysql://USER@HOST:PORT/DATABASE (with ?tls or without) or postgresql://USER@HOST:"
                "PORT/DATABASE, or $NAME of a variable with it; a password may stand in the "
                "variable alone"
            )
        return value


def _is_whole(address: str) -> bool:
    try:
        return bool(_ADDRESS.fullmatch(address)) and urlsplit(address).port != 0
    except ValueError:  # of a host or a port that is none
        return False
