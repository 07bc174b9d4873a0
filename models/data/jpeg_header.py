"""The common case of a JPEG, read without ceremony.

Pillow takes 30 to 90 microseconds to open a file before it decodes anything, as long as a small
photo takes to decode. Most JPEGs are plain; this module recognises them by their header and reads
their luma. Whatever is in any way special it leaves to Pillow.
"""

import struct
from dataclasses import dataclass

import numpy as np
import simplejpeg
from numpy.typing import NDArray

_START = b"\xff\xd8"
_FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended and progressive, Huffman coded
_WITHOUT_LENGTH = (0x01, *range(0xD0, 0xDA))
_OTHER_FRAMES = frozenset({*range(0xC3, 0xD0)} - {0xC4, 0xC8})  # without tables
_SCAN = 0xDA
_APP1 = 0xE1
_EXIF = b"Exif\x00\x00"
_ORIENTATION_TAG = 0x0112
_SHORT = 3


@dataclass(frozen=True, slots=True)
class PlainJpeg:
    """What the header of a plain JPEG says: 8 bits a channel, grey or colour, upright.

    Attributes:
        width: pixels.
        height: pixels.
        channels: 1 (grey) or 3 (colour).
    """

    width: int
    height: int
    channels: int


def read_plain_header(raw: bytes) -> PlainJpeg | None:
    """Reads the markers up to the first scan.

    Args:
        raw: any file's bytes.

    Returns:
        The header; None where the file is no JPEG, is damaged up to there, or is special: rotated
        by EXIF, of four channels or 12 bits, coded without loss or arithmetically.
    """
    try:
        return _read_plain_header(raw)
    except (struct.error, IndexError):  # the file ends before it should
        return None


def decode_luma(raw: bytes, width: int, height: int) -> NDArray[np.uint8] | None:
    """Decodes luma alone, at the smallest scale in eighths that is not below a size.

    Args:
        raw: a plain JPEG.
        width: least, in pixels.
        height: least, in pixels.

    Returns:
        uint8 [h, w]; None where the decoder has anything to complain of, however slight.
    """
    try:
        luma: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            raw, "GRAY", min_height=height, min_width=width, strict=True
        )
    except ValueError:
        return None
    return luma[:, :, 0]


def _read_plain_header(raw: bytes) -> PlainJpeg | None:
    if raw[:2] != _START:
        return None
    frame = None
    annotations: list[bytes] = []
    at = len(_START)
    while True:
        if raw[at] != 0xFF:
            return None
        marker = raw[at + 1]
        if marker == _SCAN:
            return frame if _are_upright(annotations) else None
        if marker in _WITHOUT_LENGTH or marker in _OTHER_FRAMES or marker == 0xFF:
            return None
        size = (raw[at + 2] << 8) + raw[at + 3]
        if marker in _FRAMES:
            frame = _frame(raw, at + 4)
            if frame is None:
                return None
        elif marker == _APP1:
            annotations.append(raw[at + 4 : at + 2 + size])
        at += 2 + size


def _frame(raw: bytes, at: int) -> PlainJpeg | None:
    bits, height, width, channels = struct.unpack_from(">BHHB", raw, at)
    if bits != 8 or channels not in (1, 3):
        return None
    return PlainJpeg(width, height, channels)


def _are_upright(annotations: list[bytes]) -> bool:
    """Whether the APP1 segments surely ask for no rotation; what EXIF says outweighs XMP."""
    exif = [segment for segment in annotations if segment.startswith(_EXIF)]
    if len(exif) > 1:
        return False
    orientation = _orientation(exif[0][len(_EXIF) :]) if exif else None
    if orientation is not None:
        return orientation == (_SHORT, 1, 1)
    return not any(b"Orientation" in segment for segment in annotations)


def _orientation(tiff: bytes) -> tuple[int, int, int] | None:
    """Type, number of values and first value of EXIF's orientation; None where it has none."""
    order = "<" if tiff[:2] == b"II" else ">"
    (start,) = struct.unpack_from(order + "I", tiff, 4)
    (count,) = struct.unpack_from(order + "H", tiff, start)
    entry = struct.Struct(order + "HHIH")
    for number in range(count):
        tag, kind, values, value = entry.unpack_from(tiff, start + 2 + 12 * number)
        if tag == _ORIENTATION_TAG:
            return kind, values, value
    return None
