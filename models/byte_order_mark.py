"""What a byte order mark says of a text's encoding."""

import codecs
from typing import Final

_MARKS: Final = (  # that of UTF-32 begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def without_mark(content: bytes) -> tuple[bytes, str]:
    r"""A text without its mark, and Python's name of the encoding; empty where it has no mark.

    >>> without_mark("né".encode("utf-16"))
    (b'n\x00\xe9\x00', 'utf-16-le')
    >>> without_mark(b"n")
    (b'n', '')
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return content[len(mark) :], encoding
    return content, ""
