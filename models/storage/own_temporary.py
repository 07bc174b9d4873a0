"""Leaves no temporary files behind: a folder for those of one command, which goes with it.

Libraries leave some: of each function that it rewrites, TensorFlow takes the source away and leaves
what Python compiled of it. And a command that is killed leaves all. A program that calls Graft has
temporary files of its own, which stay where they are: there only what was compiled is taken away.
"""

import fcntl
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

_PREFIX: Final = "graft-tmp-"
_VARIABLE: Final = "TMPDIR"
_REWRITTEN: Final = "__autograph_generated_file"
"""What the modules begin with that TensorFlow makes of functions."""


def shared_temporary() -> Path:
    """The system's folder for temporary files, also within a command that has one of its own."""
    folder = Path(tempfile.gettempdir())
    return folder.parent if folder.name.startswith(_PREFIX) else folder


@contextmanager
def own_temporary() -> Iterator[None]:
    """Has this process, and what it starts, put temporary files into a folder of its own.

    The folder is taken away after the block, and those of commands that were killed before it.
    Where none can be made, temporary files lie where they always do.
    """
    try:
        shared = shared_temporary()
        _remove_left(shared)
        folder, lock = _make(shared)
    except OSError:
        yield
        return
    before, tempdir = os.environ.get(_VARIABLE), tempfile.tempdir
    os.environ[_VARIABLE] = tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = tempdir
        if before is None:
            os.environ.pop(_VARIABLE, None)
        else:
            os.environ[_VARIABLE] = before
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
        # Of processes that this one had started, and that were killed.
        _remove_left(shared)


@contextmanager
def none_compiled_left() -> Iterator[None]:
    """Takes away what Python compiled of functions that TensorFlow has rewritten in this process.

    That is done after the block, for a program that makes temporary files of its own meanwhile.
    """
    try:
        yield
    finally:
        for name, module in [*sys.modules.items()]:
            spec = module.__spec__ if name.startswith(_REWRITTEN) else None
            if spec is not None and spec.cached:
                file = Path(spec.cached)
                with suppress(OSError):
                    file.unlink(missing_ok=True)
                    # Others may have something there.
                    file.parent.rmdir()
        _remove_left(shared_temporary())


def _make(shared: Path) -> tuple[Path, int]:
    """A new folder, and what holds it until it is closed, or the process is gone."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=shared))
        lock = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            # A file system that knows no locks: the folder could not be told from one that is left.
            os.close(lock)
            folder.rmdir()
            raise
        if folder.exists():
            return folder, lock
        # Another command took it for one that is left, before it was held.
        os.close(lock)


def _remove_left(shared: Path) -> None:
    for folder in shared.glob(f"{_PREFIX}*"):
        with suppress(OSError):
            status = folder.lstat()
            if stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid():
                _remove_if_left(folder)


def _remove_if_left(folder: Path) -> None:
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lock)
