"""TLS of the gRPC port, from TensorFlow Serving's `SSLConfig`."""

from pathlib import Path
from typing import Final

import grpc

from models.errors import UsageError
from serving.text_proto import read_text_proto

_FIELDS: Final = {
    "server_key": "string",
    "server_cert": "string",
    "custom_ca": "string",
    "client_verify": "bool",
}


def read_credentials(path: Path) -> grpc.ServerCredentials:
    """Reads the file of `--ssl_config_file`, which holds the keys themselves, as PEM text.

    Raises:
        UsageError: there is no such file, or it lacks a key or a certificate.
    """
    config = read_text_proto(path, "SSLConfig", _FIELDS)
    for field in ("server_key", "server_cert"):
        if not getattr(config, field):
            raise UsageError(f"{path} has no {field}, expected the text of a PEM file.")
    if config.client_verify and not config.custom_ca:
        raise UsageError(
            f"{path} asks for client_verify without a custom_ca, expected the certificate that"
            " signs those of the clients."
        )
    pair = (config.server_key.encode(), config.server_cert.encode())
    authority = config.custom_ca.encode() or None
    return grpc.ssl_server_credentials([pair], authority, config.client_verify)
