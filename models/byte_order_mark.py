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


def decoded(content: bytes) -> str:
    r"""A text of people: in UTF-8, or in what its mark says, as Windows' editors write it.

    Args:
        content: of the file.

    Returns:
        The text, without its mark.

    Raises:
        ValueError: it is in another encoding, which is said with the line and the remedy.

    >>> decoded("né".encode("utf-16"))
    'né'
    """
    text, marked = without_mark(content)
    encoding = marked or "utf-8"
    try:
        return text.decode(encoding)
    except UnicodeDecodeError as error:
        line = text[: error.start].decode(encoding, "replace").count("\n") + 1
        raise ValueError(
            f"it is no text in {encoding.upper()} (line {line} holds the byte "
            f"0x{text[error.start]:02x}); save it as UTF-8"
        ) from None
