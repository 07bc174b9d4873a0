"""Writing a file so that it is whole or absent, even after `kill -9`."""

import contextlib
import os
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
        OSError: the disk is full or the folder cannot be written; `path` is then untouched.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
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
