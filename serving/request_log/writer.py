"""Makes Parquet files of finished segments, and deletes what is too old or too much."""

import contextlib
import fcntl
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from models.observation.kept_images import image_files
from models.observation.request_log_files import (
    PARQUET,
    LogFile,
    LogFileError,
    is_of_log,
    log_files,
    write_parquet,
)

_log = logging.getLogger(__name__)
DAMAGED: Final = ".damaged"
"""Ending of what was named like a segment and is none."""
_DAY: Final = 86_400.0
_IMAGES_SECONDS: Final = 3_600.0
"""Between two looks at the images, of which there may be a million."""


class Writer:
    """Looks after the folder of a log; several may look after the same."""

    def __init__(self, folder: Path, keep_days: float, keep_bytes: int) -> None:
        """Takes the folder, and what it may hold."""
        self._folder = folder
        self._keep_seconds = keep_days * _DAY
        self._keep_bytes = keep_bytes
        self._said = ""
        self._images_at = float("-inf")

    def step(self) -> None:
        """Makes Parquet of all segments that nobody writes to, and deletes what is too much."""
        try:
            self._forget()
            self._forget_images()
            for file in log_files(self._folder):
                if file.segment.exists():
                    self._finish(file)
            self._said = ""
        except OSError as error:
            words = f"{self._folder}: {error.strerror or error}"
            if words != self._said:
                _log.warning("The request log cannot be looked after: %s.", words)
            self._said = words

    def _finish(self, file: LogFile) -> None:
        with _held(file.segment) as is_held:
            if not is_held:
                return
            if not file.parquet.exists() and not self._was_written(file):
                return
            file.segment.unlink(missing_ok=True)

    def _was_written(self, file: LogFile) -> bool:
        """Makes the Parquet file; False where there was nothing to make it of."""
        try:
            fault = write_parquet(file)
        except LogFileError as error:
            _log.warning("Put aside: %s.", error)
            file.segment.rename(file.segment.with_name(file.segment.name + DAMAGED))
            return False
        if fault:
            _log.warning("What follows was lost: %s.", fault)
        return True

    def _forget(self) -> None:
        found = []
        for path in self._folder.iterdir():
            with contextlib.suppress(FileNotFoundError):
                if is_of_log(path) and path.is_file():
                    status = path.stat()
                    found.append((path, status.st_mtime, status.st_size))
        total = sum(size for *_, size in found)
        oldest = time.time() - self._keep_seconds
        for path, changed, size in sorted(found):
            is_ours = path.suffix in (PARQUET, DAMAGED)
            if is_ours and (changed < oldest or total > self._keep_bytes):
                path.unlink(missing_ok=True)
                total -= size

    def _forget_images(self) -> None:
        """Those of days gone by, also where the server keeps none any more, or is asked nothing."""
        if time.monotonic() - self._images_at < _IMAGES_SECONDS:
            return
        self._images_at = time.monotonic()
        oldest = time.time() - self._keep_seconds
        for path in image_files(self._folder):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < oldest:
                    path.unlink()


@contextlib.contextmanager
def _held(segment: Path) -> Iterator[bool]:
    """Holds a segment; False where somebody else does, or it is gone."""
    with contextlib.ExitStack() as stack:
        try:
            handle = os.open(segment, os.O_RDONLY)
            stack.callback(os.close, handle)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (FileNotFoundError, BlockingIOError):
            is_held = False
        else:
            # Another writer may have finished it since it was opened.
            is_held = segment.exists()
        yield is_held
