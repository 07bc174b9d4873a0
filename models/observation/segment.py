"""The file that a server appends to: memory that outlives its process.

The file is mapped, and its space taken beforehand. To append is to copy into memory, which waits
for no disk and asks for no room; what was copied is in the file even when the process is killed at
that moment. An entry is its length and its checksum, 4 bytes each, and its bytes. The length comes
last, so that an entry is whole or not there.
"""

import fcntl
import mmap
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MAGIC: Final = b"graft request log 1\n".ljust(32, b"\0")
_HEAD: Final = struct.Struct("<II")
_LENGTH: Final = struct.Struct("<I")
_ALIGNMENT: Final = 8


class SegmentWriter:
    """A segment that is being written, held by this process alone.

    Attributes:
        path: the file.
    """

    def __init__(self, path: Path, size: int) -> None:
        """Makes the file and takes its space.

        Raises:
            OSError: there is no room, or the folder cannot be written.
        """
        self.path = path
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            os.posix_fallocate(self._file, 0, size)
            self._memory = mmap.mmap(self._file, size)
        except OSError:
            path.unlink(missing_ok=True)
            os.close(self._file)
            raise
        self._memory[: len(_MAGIC)] = _MAGIC
        self._end = len(_MAGIC)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was appended."""
        return self._end == len(_MAGIC)

    def append(self, content: bytes) -> bool:
        """Appends an entry; False where it does not fit."""
        begin = self._end + _HEAD.size
        end = begin + len(content)
        if end + _HEAD.size > len(self._memory):
            return False
        self._memory[begin:end] = content
        self._memory[self._end + _LENGTH.size : begin] = _LENGTH.pack(zlib.crc32(content))
        self._memory[self._end : self._end + _LENGTH.size] = _LENGTH.pack(len(content))
        self._end = end + -end % _ALIGNMENT
        return True

    def close(self) -> None:
        """Lets go of the file; one without an entry is deleted."""
        if self.is_empty:
            self.path.unlink(missing_ok=True)
        self._memory.close()
        os.close(self._file)


def read_segment(path: Path) -> Iterator[bytes]:
    """The entries of a segment, which may grow meanwhile, up to the first that is not whole.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no segment; or, after the last whole entry, it is damaged there.
    """
    content = path.read_bytes()
    if content[: len(_MAGIC)] != _MAGIC:
        raise ValueError("it is no segment of a request log")
    begin = len(_MAGIC)
    while begin + _HEAD.size <= len(content):
        length, checksum = _HEAD.unpack_from(content, begin)
        if length == 0:
            return
        begin += _HEAD.size
        entry = content[begin : begin + length]
        if len(entry) < length or zlib.crc32(entry) != checksum:
            raise ValueError(f"it is damaged at byte {begin}")
        yield entry
        begin += length + -length % _ALIGNMENT
