"""What went wrong, in words for the user."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from models.errors import GraftError, UsageError

TRACEBACK = "GRAFT_TRACEBACK"
"""In the environment: errors that nobody foresaw are shown whole."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_FORBIDDEN = (errno.EROFS, errno.EACCES, errno.EPERM)
_CODES = (*_FULL, *_FORBIDDEN, errno.EFBIG)

# TensorFlow, Beam and SQLite keep the cause of an error in its text alone.
_PHRASES = {os.strerror(code): code for code in (*_FULL, errno.EROFS, errno.EFBIG)} | {
    "database or disk is full": errno.ENOSPC,
    "disk I/O error": errno.EIO,
    "attempt to write a readonly database": errno.EROFS,
}


_AROUND: Final = 40
"""Letters of a text that are shown before and behind the one that is none."""


def unforeseen(error: Exception) -> str:
    """Says what ended a command, where that is none of Graft's own errors.

    Args:
        error: what was raised.
    """
    if isinstance(error, FileNotFoundError) and not error.filename and _is_nowhere():
        return "the folder that this was called in is gone. Go to another one (cd)."
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    if isinstance(error, UnicodeEncodeError) and "surrogates" in error.reason:
        name = ascii(error.object[max(error.start - _AROUND, 0) : error.end + _AROUND])
        return f"expected names that are UTF-8; got …{name[1:-1]}… Rename the file or folder."
    return (
        f"unexpected {type(error).__name__}: {error}. This is a fault of Graft's; with "
        f"{TRACEBACK}=1 in the environment the same command shows where it lies."
    )


def _is_nowhere() -> bool:
    try:
        os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        return True
    return False


def in_words(error: Exception, folder: Path, log: Path) -> str:
    """Says what stopped a run, and how to mend it where that is known.

    Args:
        error: what a stage raised.
        folder: that the run writes to.
        log: where the whole story stands.
    """
    disk = disk_error(error)
    if disk is not None:
        return str(unwritable(disk, folder))
    cause = str(error).strip().partition("\n")[0] or "no message"
    return f"{type(error).__name__}: {cause} (the whole story is in {log})"


@contextmanager
def writing_to(folder: Path, another: str) -> Iterator[None]:
    """Says in words what a folder of the user's choice cannot take.

    Args:
        folder: that files are written to.
        another: how to name another one.

    Raises:
        UsageError: a file cannot be written to it.
    """
    try:
        yield
    except OSError as error:
        reason = "it is a file" if folder.is_file() else error.strerror or error
        raise UsageError(f"{folder} cannot be written: {reason}. {another}.") from None


def unwritable(error: OSError, folder: Path) -> GraftError:
    """Turns a failed write into a message for the user.

    Args:
        error: what came of it.
        folder: that the run writes to.
    """
    where = error.filename or folder
    if error.errno in _FULL:
        return GraftError(
            f"The disk is full: {where} cannot be written ({_free(folder)} now at {folder}). Make "
            "room; the same command then goes on where it stopped."
        )
    if error.errno == errno.EFBIG:
        return GraftError(
            f"{where} cannot be written: a file would be larger than is allowed here. Raise the "
            "limit (`ulimit -f` shows it) or choose another disk with --workspace; the same "
            "command then goes on where it stopped."
        )
    return GraftError(
        f"{where} cannot be read or written: {error.strerror or error}. Mend its permissions, the "
        "limits (`ulimit -a`) or the disk, or choose another place with --workspace."
    )


def disk_error(error: BaseException) -> OSError | None:
    """The failed write behind an error, if that is what it was.

    Args:
        error: what a stage raised.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _CODES:
            return cause
        for phrase, code in _PHRASES.items():
            if phrase in str(cause):
                return OSError(code, os.strerror(code))
        cause = cause.__cause__
    return None


def _free(folder: Path) -> str:
    """What is left on the disk of `folder` or, while that is not made, of one above it."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    disk = os.statvfs(there)
    if disk.f_files and not disk.f_favail:
        return "room is left, but for no further file, as all inodes are in use"
    return f"{shutil.disk_usage(there).free // 2**20} MiB are free"
