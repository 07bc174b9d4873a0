"""Where a model is asked: one address says which API, and whether it is encrypted."""

import urllib.parse
from dataclasses import dataclass
from typing import Final

from models.errors import UsageError

_SCHEMES: Final = {"http": False, "https": True, "grpc": False, "grpcs": True}
_UNIX: Final = "unix:"


@dataclass(frozen=True)
class Address:
    """Where a model is asked.

    Attributes:
        text: as it was given, for messages.
        is_grpc: which API answers there.
        is_encrypted: TLS.
        target: of gRPC: `HOST:PORT` or a socket; of REST: the URL up to where `/v1` follows.
    """

    text: str
    is_grpc: bool
    is_encrypted: bool
    target: str


def parse_address(text: str) -> Address:
    """Reads an address.

    Args:
        text: `http://HOST:PORT`, `https://…` with or without a path before `/v1`, `grpc://…`,
            `grpcs://…`, or `unix:PATH` for gRPC over a socket. Without a scheme it is http.

    Raises:
        UsageError: it is none of these.

    >>> parse_address("grpcs://models.example:443").target
    'models.example:443'
    >>> parse_address("localhost:8501/models/").target
    'http://localhost:8501/models'
    """
    if text.startswith(_UNIX):
        return Address(text, True, False, text)
    try:
        parts = urllib.parse.urlsplit(text if "://" in text else f"http://{text}")
        has_port = parts.port is not None
    except ValueError:
        raise _no_address(text) from None
    is_grpc = parts.scheme.startswith("grpc")
    is_whole = bool(parts.hostname) and not (parts.query or parts.fragment or "@" in parts.netloc)
    if parts.scheme not in _SCHEMES or not is_whole or (is_grpc and not has_port):
        raise _no_address(text)
    if is_grpc and parts.path.strip("/"):
        raise _no_address(text)
    path = parts.path.rstrip("/")
    target = parts.netloc if is_grpc else f"{parts.scheme}://{parts.netloc}{path}"
    return Address(text, is_grpc, _SCHEMES[parts.scheme], target)


def as_grpc(address: str) -> str:
    """Takes an address without a scheme for one of gRPC."""
    return address if "://" in address or address.startswith(_UNIX) else f"grpc://{address}"


def _no_address(text: str) -> UsageError:
    return UsageError(
        f"Not the address of a server: {text!r}. Expected http://HOST:PORT or https://HOST:PORT "
        "for REST, grpc://HOST:PORT or grpcs://HOST:PORT for gRPC."
    )
