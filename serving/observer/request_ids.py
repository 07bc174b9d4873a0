"""Names of requests, by which labels that come later find them."""

import re
import secrets
from typing import Final

HEADER: Final = "x-request-id"
"""Of REST, and key of gRPC's metadata."""
_SOUND: Final = re.compile(r"[\x21-\x7e]{1,128}")
_BYTES: Final = 12


def request_id(given: str | None) -> str:
    """The id that a client or a gateway gave, or a new one where it gave none that will do."""
    if given is not None and _SOUND.fullmatch(given):
        return given
    return secrets.token_hex(_BYTES)
