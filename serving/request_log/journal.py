"""Takes entries without waiting for a disk.

Entries go into the mapped memory of a segment (`models/observation/segment.py`). A thread of its
own has the next segment ready before this one is full, and a process beside the server makes
Parquet files of the full ones. Where there is no room for another segment, entries are dropped and
counted; a request never waits, and never fails, because of its log.
"""

import contextlib
import errno
import logging
import shutil
import threading
import time
from dataclasses import replace
from typing import Final

from models.observation.log_entry import Entry, encode
from models.observation.request_log_files import SEGMENT, LogFile, new_name
from models.observation.segment import SegmentWriter
from serving.request_log.settings import RequestLogSettings
from serving.request_log.writer_process import WriterProcess

_log = logging.getLogger(__name__)
SEGMENT_BYTES: Final = 4 * 2**20
_MOST_WAITING: Final = 64
_LOOK_SECONDS: Final = 1.0
_OLDEST_SECONDS: Final = 3600.0
_FREE_SHARE: Final = 0.02
"""Of the disk that is left to others."""
_GONE: Final = (
    "The request log %s is gone, and begins there anew. If its workspace was moved, start the "
    "server from where that is now."
)


class Journal:
    """The end of the log at which a server writes; any thread may."""

    def __init__(self, settings: RequestLogSettings) -> None:
        """Opens the log, or goes on without one until it can be opened."""
        self._settings = settings
        self._folder = settings.folder.absolute()
        # A quarter of the room at most waits to be made into Parquet, which takes a third of it.
        self._most_waiting = min(_MOST_WAITING, settings.file_bytes // (4 * SEGMENT_BYTES))
        self._lock = threading.Lock()
        self._current: SegmentWriter | None = None
        self._spare: SegmentWriter | None = None
        self._full: list[SegmentWriter] = []
        self._began = time.monotonic()
        self._dropped = 0
        self._said = ""
        self._has_begun = False
        self._wanted = threading.Event()
        self._closing = False
        self._writer = WriterProcess(settings)
        self._tend()
        self._thread = threading.Thread(target=self._run, name="request-log", daemon=True)
        self._thread.start()

    def add(self, entry: Entry) -> bool:
        """Writes an entry down; False where it had to be dropped."""
        with self._lock:
            if self._dropped:
                entry = replace(entry, dropped=entry.dropped + self._dropped)
            is_written = self._append(encode(entry))
            self._dropped = 0 if is_written else self._dropped + 1
        return is_written

    def close(self) -> None:
        """Finishes the log; the process beside the server makes the last Parquet file."""
        with self._lock:
            self._closing = True
        self._wanted.set()
        self._thread.join()
        for segment in (*self._full, self._current, self._spare):
            if segment is not None:
                segment.close()
        self._current = self._spare = None
        self._full = []
        if self._dropped:
            # Else the next entry would have told it.
            words = "The request log in %s lacks the last %d requests: they could not be written."
            _log.warning(words, self._folder, self._dropped)
        self._writer.close()

    def _append(self, content: bytes) -> bool:
        if self._current is not None and self._current.append(content):
            return True
        self._turn()
        return self._current is not None and self._current.append(content)

    def _turn(self) -> None:
        """Goes on in the next segment, if there is one."""
        if self._current is not None:
            self._full.append(self._current)
            self._wanted.set()
        self._current, self._spare = self._spare, None
        self._began = time.monotonic()

    def _run(self) -> None:
        while not self._closing:
            self._wanted.wait(_LOOK_SECONDS)
            self._wanted.clear()
            self._tend()

    def _tend(self) -> None:
        """Has a segment ready, lets go of full ones, and looks after the other process."""
        if self._spare is None:
            spare = self._new_segment()
            with self._lock:
                self._spare = spare
                is_old = time.monotonic() - self._began > _OLDEST_SECONDS
                current = self._current
                if spare is not None and (current is None or (is_old and not current.is_empty)):
                    self._turn()
        with self._lock:
            full, self._full = self._full, []
        for segment in full:
            segment.close()
        self._writer.ensure()

    def _new_segment(self) -> SegmentWriter | None:
        try:
            if self._has_begun and not self._folder.exists():
                _log.warning(_GONE, self._folder)
            self._folder.mkdir(parents=True, exist_ok=True)
            self._require_room()
            segment = SegmentWriter(LogFile(self._folder, new_name()).segment, SEGMENT_BYTES)
        except OSError as error:
            words = error.strerror or str(error)
            if words != self._said:
                _log.warning("Requests are not logged in %s: %s.", self._folder, words)
            self._said = words
            return None
        self._said = ""
        self._has_begun = True
        return segment

    def _require_room(self) -> None:
        waiting = sum(path.suffix == SEGMENT for path in self._folder.iterdir())
        if waiting >= self._most_waiting:
            message = f"{waiting} files wait to be made into Parquet"
            raise OSError(errno.ENOSPC, message)
        disk = shutil.disk_usage(self._folder)
        if disk.free - SEGMENT_BYTES < _FREE_SHARE * disk.total:
            raise OSError(errno.ENOSPC, "the disk is full")

    def __enter__(self) -> "Journal":
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self.close()
