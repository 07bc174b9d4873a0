"""Whether a request is soon done, by what is seen of it before it runs.

What an image costs does not show in its length: 100 KB can hold a hundred million pixels. Its
header says so.
"""

import re
import struct
from typing import Final

from serving.inference.signature_call import SignatureCall

SHORT_ROWS: Final = 8
"""Most rows of a short request."""
SHORT_PIXELS: Final = 2_000_000
"""Most pixels of its images together."""
_SHORT_BYTES: Final = 2**20
_PICTURE: Final = re.compile(
    rb"\x89PNG\r\n\x1a\n.{8}(?P<png>.{8})|GIF8[79]a(?P<gif>.{4})|\xff\xd8\xff", re.S
)
_MOST_SEGMENTS: Final = 100
_NO_FRAME: Final = frozenset({0xC4, 0xC8, 0xCC})
_FIRST_FRAME, _LAST_FRAME, _SCAN = 0xC0, 0xCF, 0xDA


def is_short(call: SignatureCall) -> bool:
    """Whether a call has few rows, and no large images or texts in them."""
    pixels = size = 0
    for value in call.feeds.values():
        if value.shape and value.shape[0] > SHORT_ROWS:
            return False
        if value.dtype != object:
            size += value.nbytes
            continue
        for text in value.flat:
            size += len(text)
            pixels += pixels_of(text)
    return pixels <= SHORT_PIXELS and size <= _SHORT_BYTES


def pixels_of(text: bytes) -> int:
    """Pixels of the first PNG, GIF or JPEG in a string, as its header has them; 0 for no image.

    The string may be a tf.Example that holds the image. A JPEG whose header goes on for long has
    more than `SHORT_PIXELS`: nobody knows.
    """
    found = _PICTURE.search(text)
    if found is None:
        return 0
    if found["png"] is not None:
        width, height = struct.unpack(">II", found["png"])
    elif found["gif"] is not None:
        width, height = struct.unpack("<HH", found["gif"])
    else:
        return _pixels_of_jpeg(text, found.start() + 2)
    return int(width * height)


def _pixels_of_jpeg(text: bytes, at: int) -> int:
    for _ in range(_MOST_SEGMENTS):
        if at + 9 > len(text) or text[at] != 0xFF:
            return 0  # it is broken, and fails at once
        marker = text[at + 1]
        if marker == 0xFF:  # a filler
            at += 1
        elif _FIRST_FRAME <= marker <= _LAST_FRAME and marker not in _NO_FRAME:
            height, width = struct.unpack(">HH", text[at + 5 : at + 9])
            return int(width * height)
        elif marker == _SCAN:
            return 0
        else:
            at += 2 + int.from_bytes(text[at + 2 : at + 4], "big")
    return SHORT_PIXELS + 1
