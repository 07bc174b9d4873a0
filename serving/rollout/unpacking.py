"""Takes the compression from what clients sent, within bounds."""

import zlib
from typing import Final

MOST_BYTES: Final = 8 * 2**20
"""Of a copy that is looked at, as it was sent and without its compression."""
_GZIP_OR_ZLIB: Final = 32 + zlib.MAX_WBITS


def unpacked(content: bytes) -> bytes | None:
    """What gzip or zlib data hold; None where they are damaged, or hold more than `MOST_BYTES`."""
    stream = zlib.decompressobj(_GZIP_OR_ZLIB)
    try:
        found = stream.decompress(content, MOST_BYTES)
    except zlib.error:
        return None
    return found if stream.eof and not stream.unused_data else None
