"""The records of one TFRecord file, read without TensorFlow, which hides what is wrong with it.

A record is its length in 8 bytes, a checksum of these, the content, and a checksum of that. The
checksum of the first length tells such a file from any other, whatever its name; compression
(gzip, zlib) is known by its content too.

There is no way to find the next record behind a damaged one: what follows is unknown.
"""

import os
import stat
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Protocol

import google_crc32c

MAX_RECORD_BYTES = 512 << 20
"""A longer record is taken for damage: no image to learn from is that large."""

_HEAD = struct.Struct("<QI")
_CHECK = struct.Struct("<I")
_CHUNK = 1 << 20
_ANY_COMPRESSION = 32 + zlib.MAX_WBITS  # zlib's word for "gzip or zlib, see the header"
_GZIP = b"\x1f\x8b"
_ZLIB = b"\x78"


class DamagedError(Exception):
    """A TFRecord file does not go on as one; the message says what is there instead."""


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes:
        """Returns `size` bytes, fewer at the end."""


def is_record_file(path: str) -> bool:
    """Whether a regular file begins as TFRecords do, compressed or not.

    Args:
        path: of anything; nothing but a regular file is opened.
    """
    try:
        with _open(path) as file:
            start = _plain(file).read(_HEAD.size)
    except (OSError, DamagedError):
        return False
    return len(start) == _HEAD.size and _is_head(start)


def read_records(path: str) -> Iterator[bytes]:
    """Reads the records of a file.

    Args:
        path: of a regular file.

    Yields:
        The content of each record.

    Raises:
        DamagedError: behind the records that were yielded the file is no TFRecord file.
    """
    try:
        with _open(path) as file:
            if not os.fstat(file.fileno()).st_size:
                raise DamagedError("it is empty, as a copy that never began")
            yield from _records(_plain(file))
    except OSError as error:
        raise DamagedError(f"it cannot be read: {error.strerror or error}") from error


def _records(file: _Readable) -> Iterator[bytes]:
    while head := file.read(_HEAD.size):
        if len(head) < _HEAD.size:
            raise DamagedError("it ends within a record")
        if not _is_head(head):
            raise DamagedError("no record begins there")
        length, _ = _HEAD.unpack(head)
        if length > MAX_RECORD_BYTES:
            raise DamagedError(f"the record there has {length:,} bytes, too many for an image")
        content, check = file.read(length), file.read(_CHECK.size)
        if len(check) < _CHECK.size:
            raise DamagedError("it ends within a record")
        if _CHECK.unpack(check)[0] != _masked_checksum(content):
            raise DamagedError("the content of the record there does not match its checksum")
        yield content


def _open(path: str) -> BinaryIO:
    file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would wait for its writer
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise DamagedError("it is no regular file")
    return open(file, "rb")  # noqa: PTH123 - the caller closes it


def _plain(file: BinaryIO) -> _Readable:
    start = file.read(_HEAD.size)
    file.seek(0)
    compressed = start[:2] == _GZIP or (start[:1] == _ZLIB and not _is_head(start))
    return _Inflated(file) if compressed else file


def _is_head(start: bytes) -> bool:
    if len(start) < _HEAD.size:
        return False
    return _HEAD.unpack(start)[1] == _masked_checksum(start[:8])


def _masked_checksum(content: bytes) -> int:
    checksum = google_crc32c.value(content)
    return ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF


class _Inflated:
    """A compressed file, of one or more streams one behind the other."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._stream = zlib.decompressobj(_ANY_COMPRESSION)
        self._waiting = b""

    def read(self, size: int, /) -> bytes:
        """Returns `size` bytes, fewer at the end."""
        parts = []
        while size and (part := self._some(size)):
            parts.append(part)
            size -= len(part)
        return b"".join(parts)

    def _some(self, most: int) -> bytes:
        while True:
            compressed = self._waiting or self._file.read(_CHUNK)
            if self._stream.eof:
                if not compressed:
                    return b""
                self._stream = zlib.decompressobj(_ANY_COMPRESSION)
            try:
                part = self._stream.decompress(compressed, most)
            except zlib.error as error:
                raise DamagedError("what is compressed there cannot be decompressed") from error
            self._waiting = self._stream.unconsumed_tail or self._stream.unused_data
            if part:
                return part
            if not compressed and not self._stream.eof:
                raise DamagedError("it ends within what is compressed")
