"""The text of a manifest: read whole, within a limit, and decoded without a guess.

A byte order mark says the encoding (UTF-8, UTF-16, UTF-32), else `data.encoding`, else it is
UTF-8. What does not decode is refused: an escaped letter would become part of a class name.
"""

import os
import stat

from models.byte_order_mark import without_mark
from models.errors import BadDataError

SUFFIXES = (".csv", ".tsv", ".jsonl")
"""File name endings that make a file a manifest."""

MAX_BYTES = 256 << 20
"""Larger manifests are refused unread: some three million rows, with all that they point at."""

_PACKED = {
    b"\x1f\x8b": "compressed (gzip); unpack it",
    b"PK\x03\x04": "a ZIP archive or a spreadsheet; unpack it, or save it as CSV",
}
_LOOKED_AT = 1000
_EXAMPLE = "name its encoding, for instance with --set data.encoding=cp1252"


def read_text(path: str, encoding: str) -> str:
    """Reads and decodes a manifest.

    Args:
        path: of the manifest.
        encoding: name of the encoding of a file without a byte order mark; empty for UTF-8.

    Returns:
        Its text, without the mark.

    Raises:
        BadDataError: it cannot be read, is no regular file, too large, packed, or does not decode.
    """
    content = _read(path)
    for beginning, kind in _PACKED.items():
        if content.startswith(beginning):
            raise BadDataError(f"{path} is no text: it is {kind}.")
    text, marked = without_mark(content)
    if marked:
        return _decode(path, text, marked)
    if not encoding:
        _refuse_wide(path, content)
    return _decode(path, content, encoding or "utf-8").removeprefix("\ufeff")


def _read(path: str) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would wait for its writer
        try:
            status = os.fstat(file)
            if not stat.S_ISREG(status.st_mode):
                raise BadDataError(f"{path} is a folder, a device or a pipe; expected a file.")
            if status.st_size > MAX_BYTES:
                raise BadDataError(
                    f"{path} has {status.st_size:,} bytes; a manifest may have {MAX_BYTES:,}."
                )
            # Files of the system say that they are empty, and never end.
            return b"".join(_chunks(file, status.st_size))
        finally:
            os.close(file)
    except OSError as error:
        raise BadDataError(f"{path} cannot be read: {error.strerror}.") from error


def _chunks(file: int, size: int) -> list[bytes]:
    chunks = []
    while size and (chunk := os.read(file, size)):
        chunks.append(chunk)
        size -= len(chunk)
    return chunks


def _refuse_wide(path: str, content: bytes) -> None:
    """UTF-16 of English text is UTF-8 too, with a zero byte behind each letter."""
    start = content[:_LOOKED_AT]
    if start.count(0) * 4 > len(start):
        order = "utf-16-be" if start[0] == 0 else "utf-16-le"
        raise BadDataError(
            f"{path} has zero bytes between its letters, as UTF-16 without a byte order mark;"
            f" if it is that, give --set data.encoding={order}."
        )


def _decode(path: str, content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].decode(encoding, "replace").count("\n") + 1
        raise BadDataError(
            f"{path} is not {encoding.upper()}: line {line} holds the byte"
            f" 0x{content[error.start]:02x} at offset {error.start:,}; {_EXAMPLE}."
        ) from error
    except ValueError as error:  # some encodings say no more than that
        raise BadDataError(f"{path} is not {encoding.upper()}; {_EXAMPLE}.") from error
