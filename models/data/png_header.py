"""The chunks of a PNG file."""

import zlib
from collections.abc import Iterator

MAGIC = b"\x89PNG\r\n\x1a\n"

_ALL_BITS = 16


def chunks_are_sound(raw: bytes) -> bool:
    """Whether every chunk's checksum holds up to the end marker.

    Pillow forgives chunks that TensorFlow's decoder does not.
    """
    for kind, start, end in _chunks(raw):
        if end + 4 > len(raw):
            return False
        checksum = int.from_bytes(raw[end : end + 4], "big")
        if zlib.crc32(memoryview(raw)[start - 4 : end]) != checksum:
            return False
        if kind == b"IEND":
            return True
    return False


def significant_bits(raw: bytes) -> int:
    """Most bits of a channel that the sBIT chunk names; 16 where there is none."""
    for kind, start, end in _chunks(raw):
        if kind == b"sBIT":
            return max(raw[start:end], default=0) or _ALL_BITS
        if kind == b"IDAT":
            break
    return _ALL_BITS


def _chunks(raw: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind of each chunk, where its body starts, and where it ends, be that behind the file."""
    at = len(MAGIC)
    while at + 12 <= len(raw):
        end = at + 8 + int.from_bytes(raw[at : at + 4], "big")
        yield raw[at + 4 : at + 8], at + 8, end
        at = end + 4
