"""TLS of the gRPC port, from TensorFlow Serving's `SSLConfig`."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import grpc

from models.errors import UsageError
from serving.text_proto import read_text_proto

_EXPECTED: Final = "expected the text of a PEM file (not its path), with \\n for its line ends"
_FIELDS: Final = {
    "server_key": "string",
    "server_cert": "string",
    "custom_ca": "string",
    "client_verify": "bool",
}


def read_credentials(path: Path) -> grpc.ServerCredentials:
    """Reads the file of `--ssl_config_file`, which holds the keys themselves, as PEM text.

    Raises:
        UsageError: there is no such file, or it lacks a key or a certificate, or these are none, or
            do not belong together.
    """
    config = read_text_proto(path, "SSLConfig", _FIELDS)
    for field in ("server_key", "server_cert"):
        if not getattr(config, field):
            raise UsageError(f"{path} has no {field}, {_EXPECTED}.")
    if config.client_verify and not config.custom_ca:
        raise UsageError(
            f"{path} asks for client_verify without a custom_ca, expected the certificate that"
            " signs those of the clients."
        )
    _require_pair(path, config.server_key, config.server_cert)
    if config.custom_ca:
        _require_authority(path, config.custom_ca)
    pair = (config.server_key.encode(), config.server_cert.encode())
    authority = config.custom_ca.encode() or None
    return grpc.ssl_server_credentials([pair], authority, config.client_verify)


def _require_pair(path: Path, key: str, certificate: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with _as_file(f"{key}\n{certificate}\n") as file:
        try:
            context.load_cert_chain(file, password="")
        except (OSError, ValueError) as error:
            raise UsageError(
                f"The server_key and the server_cert of {path} cannot be used ({_reason(error)}),"
                f" {_EXPECTED}, that belong together and have no password."
            ) from None


def _require_authority(path: Path, authority: str) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with _as_file(authority) as file:
        try:
            context.load_verify_locations(file)
        except (OSError, ValueError) as error:
            raise UsageError(
                f"The custom_ca of {path} cannot be used ({_reason(error)}), {_EXPECTED}."
            ) from None


@contextmanager
def _as_file(text: str) -> Iterator[str]:
    """A path of `text`: the library reads files alone. It is in memory, and goes at once."""
    with os.fdopen(os.memfd_create("pem"), "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        yield f"/proc/self/fd/{file.fileno()}"


def _reason(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason or error).lower().replace("_", " ")
