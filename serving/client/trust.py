"""Whom to trust over TLS, and what to say where that fails, for REST and gRPC alike."""

import ssl
from pathlib import Path
from typing import Final

from models.errors import UsageError
from serving.client.options import Options

_OWN: Final = "(`certificate` and `certificate_key`, or --tls-certificate and --tls-key)"
ASKED_HINT: Final = f"If it asks for a certificate of the client's, name its files {_OWN}."
TLS_HINT: Final = (
    "Does a server answer there that speaks TLS, with a certificate that is trusted? If an"
    " authority of your own signed it, name that one's file (`ca_file`, or --ca-file)."
    f" {ASKED_HINT}"
)


def trusted(options: Options) -> ssl.SSLContext:
    """Trusts the authorities of a PEM file; those of the system if there is none.

    The client's own certificate is shown to servers that ask for it.

    Raises:
        UsageError: a file holds no certificates or no key that can be read, or there is a key
            without a certificate.
    """
    ca_file = options.get("ca_file")
    try:
        context = ssl.create_default_context(cafile=ca_file and str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"{ca_file} holds no certificates that can be read ({error}).") from None
    certificate, key = options.get("certificate"), options.get("certificate_key")
    if certificate is None:
        if key is not None:
            raise UsageError(f"{key} is the key of a certificate that is not named {_OWN}.")
        return context
    try:
        # Without a password of this kind, OpenSSL would ask the terminal for one.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ssl.SSLError) as error:
        raise UsageError(
            f"Expected a certificate in {certificate} and its key, without a password, in"
            f" {key or certificate}, both as PEM; they cannot be used ({error})."
        ) from None
    return context


def trusted_pem(options: Options) -> tuple[bytes | None, bytes | None, bytes | None]:
    """The authorities, the client's key and its certificate as PEM, each None where there is none.

    Where the system names no file of its authorities, gRPC has its own.

    Raises:
        UsageError: as of `trusted`.
    """
    trusted(options)  # gRPC would say of such files that no server answers
    authorities = options.get("ca_file") or ssl.get_default_verify_paths().cafile
    certificate = options.get("certificate")
    key = options.get("certificate_key") or certificate
    return _content(authorities), _content(key), _content(certificate)


def fault_of_tls(where: str, error: BaseException) -> str:
    """What to say of a connection that was made and came to no TLS."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"{where} cannot be trusted ({error}). If its certificate is signed by an authority of"
            " your own, name that one's file (`ca_file`, or --ca-file)."
        )
    return (
        f"What answers at {where} does not speak TLS as expected ({error}). If it is a server"
        f" without TLS, its address begins with http:// or grpc://. {ASKED_HINT}"
    )


def _content(file: Path | str | None) -> bytes | None:
    return Path(file).read_bytes() if file else None
