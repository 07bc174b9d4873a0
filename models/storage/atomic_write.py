"""Writing a file so that it is whole or absent, even after `kill -9`."""

import contextlib
import errno
import os
import stat
import tempfile
from pathlib import Path
from typing import Final

_SHOWN: Final = 50
"""Letters of a file's name in that of its temporary file; a letter may have four bytes of 255."""


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces `path` with `content` in one step.

    A reader sees the old file or the new one, never a part. The folder is made if it is missing.

    Args:
        path: the file.
        content: all of its bytes.

    Raises:
        OSError: the disk is full, the folder cannot be written, or `path` is a device, a pipe or a
            socket, whose place no file may take; `path` is then untouched.
    """
    _refuse_device(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _replace(path, content)
    except OSError as error:
        # It names the temporary file, or on a full disk none.
        error.filename, error.filename2 = str(path), None
        raise


def _replace(path: Path, content: bytes) -> None:
    prefix = f".{path.name[:_SHOWN]}-"
    handle, name = tempfile.mkstemp(prefix=prefix, suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        # mkstemp makes files that only their owner can read.
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _refuse_device(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError:
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        words = "it is a device, a pipe or a socket; expected a file"
        raise OSError(errno.EINVAL, words, str(path))
