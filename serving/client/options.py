"""What a client can be told beside whom to ask."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypedDict

from models.errors import UsageError

DEFAULT_TIMEOUT: Final = 30.0
MOST_ANSWER_BYTES: Final = 64 * 2**20
"""An answer is not read beyond this: what sends so much is no model of Graft's."""
API_KEY_HEADER: Final = "x-api-key"
REQUEST_ID_HEADER: Final = "x-request-id"
_BYTES: Final = bytes | bytearray | memoryview
_SENDABLE: Final = re.compile(r"[ -~]*")


class Options(TypedDict, total=False):
    """Keyword arguments of both clients, all of which may be left out."""

    version: int | None
    """Version to ask; None for the newest one, or the one with the label."""
    label: str | None
    """Label of the version to ask, such as "canary"."""
    timeout: float
    """Seconds until an answer must be there, with all its retries; 30 by default."""
    retry: bool
    """Whether to ask again where that is safe and may help; true by default."""
    api_key: str | None
    """Key that a gateway asks for, sent as `X-API-Key`; blanks and line ends around it are not."""
    ca_file: Path | str | None
    """PEM file of the authorities to trust instead of the system's, for https and grpcs."""
    certificate: Path | str | None
    """PEM file of the client's own certificate, for servers that ask for one (mutual TLS)."""
    certificate_key: Path | str | None
    """PEM file of its key, without a password; None where the certificate's file holds it too."""


def sendable_key(key: str | None) -> str | None:
    """An API key as it is sent: one from a file or a Secret often ends with a line.

    Raises:
        UsageError: no header can hold it.
    """
    if key is None:
        return None
    bare = key.strip()
    if not _SENDABLE.fullmatch(bare):
        raise UsageError(
            "The API key has characters that no header can hold; expected one line of letters, "
            "digits and signs of ASCII."
        )
    return bare


def check_images(images: object) -> None:
    """Makes sure that images came as their encoded bytes, in a list.

    Raises:
        UsageError: paths, pixels, or one image without a list around it.
    """
    wrong = images
    if isinstance(images, Sequence) and not isinstance(images, _BYTES | str):
        wrong = next((each for each in images if not isinstance(each, _BYTES)), None)
        if wrong is None:
            return
    raise UsageError(
        "Expected a list of encoded images, such as [Path('a.jpg').read_bytes()]; got "
        f"{type(wrong).__name__}{'' if wrong is images else ' in the list'}. "
        "`predict_files` takes paths."
    )
