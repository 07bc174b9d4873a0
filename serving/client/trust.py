"""Whom to trust over TLS, and what to say where that fails, for REST and gRPC alike."""

import ssl
from pathlib import Path
from typing import Final

from models.errors import UsageError

TLS_HINT: Final = (
    "Does a server answer there that speaks TLS, with a certificate that is trusted and without"
    " asking for one of the client's? If an authority of your own signed it, name that one's file"
    " (`ca_file`, or --ca-file)."
)


def trusted(ca_file: Path | str | None) -> ssl.SSLContext:
    """Trusts the authorities of a PEM file; those of the system if there is none.

    Raises:
        UsageError: the file holds no certificates that can be read.
    """
    try:
        return ssl.create_default_context(cafile=ca_file and str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"{ca_file} holds no certificates that can be read ({error}).") from None


def trusted_pem(ca_file: Path | str | None) -> bytes | None:
    """The authorities as PEM; None where the system names no file of its own.

    Raises:
        UsageError: the file holds no certificates that can be read.
    """
    trusted(ca_file)  # gRPC would say of such a file that no server answers
    file = ca_file or ssl.get_default_verify_paths().cafile
    return Path(file).read_bytes() if file else None


def fault_of_tls(where: str, error: BaseException) -> str:
    """What to say of a connection that was made and came to no TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"{where} cannot be trusted ({error}). If its certificate is signed by an authority of"
            " your own, name that one's file (`ca_file`, or --ca-file)."
        )
    return (
        f"What answers at {where} does not speak TLS as expected ({error}). If it is a server"
        " without TLS, its address begins with http:// or grpc://."
    )
