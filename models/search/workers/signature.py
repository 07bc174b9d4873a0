"""Signatures of what a worker and the run that serves a search say to each other.

Each call and each answer carries the HMAC-SHA256 (RFC 2104) of what it says, made with a secret
that both read from a file. So who does not know the secret can neither give a search results nor
hand work to a worker. What is said is not hidden: nothing is encrypted.
"""

import hashlib
import hmac
import secrets
from pathlib import Path
from typing import Final

from models.errors import UsageError

SIGNATURE: Final = "graft-signature"
"""Metadata of every call and of every answer: 64 hex digits."""
NONCE: Final = "graft-nonce"
"""Metadata of every call: digits that no other call has, so that no old answer fits it."""

_SHORTEST: Final = 16
_LONGEST: Final = 4096


def read_secret(file: str) -> bytes:
    """The secret in a file, without white space around it.

    Args:
        file: its path; empty for no secret, as on one machine.

    Returns:
        16 to 4096 bytes; none where no file is named.

    Raises:
        UsageError: it cannot be read, or is too short or too long for a secret.
    """
    if not file:
        return b""
    try:
        with Path(file).open("rb") as opened:
            secret = opened.read(2 * _LONGEST).strip()
    except OSError as error:
        raise UsageError(f"The secret {file} cannot be read: {error.strerror}.") from None
    if not _SHORTEST <= len(secret) <= _LONGEST:
        raise UsageError(
            f"Expected {_SHORTEST} to {_LONGEST} bytes of a secret in {file}; got {len(secret)}. "
            f"`openssl rand -hex 32 > {file}` makes one."
        )
    return secret


def new_nonce() -> str:
    """32 hex digits by chance."""
    return secrets.token_hex(16)


class Signer:
    """Signs and checks the calls of one search."""

    def __init__(self, secret: bytes, mark: str) -> None:
        """Takes the secret, and the mark of the process that serves."""
        # An empty key is one too: on one machine nothing is to be kept from anybody.
        self._secret = secret
        self._mark = mark

    def call(self, method: str, nonce: str, content: bytes) -> str:
        """The signature of a call."""
        return self._sign("call", method, nonce, content)

    def answer(self, method: str, nonce: str, content: bytes) -> str:
        """The signature of the answer to a call."""
        return self._sign("answer", method, nonce, content)

    def _sign(self, kind: str, method: str, nonce: str, content: bytes) -> str:
        # No part but the last can hold a line end.
        said = f"{kind}\n{self._mark}\n{method}\n{nonce}\n".encode() + content
        return hmac.new(self._secret, said, hashlib.sha256).hexdigest()


def is_same(one: str, other: str) -> bool:
    """Whether two signatures are equal, in a time that does not depend on where they differ."""
    return hmac.compare_digest(one.encode(), other.encode())
