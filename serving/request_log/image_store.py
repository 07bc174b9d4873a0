"""Keeps the bytes of images, as many as there is room for; each once, by its digest."""

import logging
import queue
import threading
import time
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from models.observation.kept_images import UNFINISHED, image_files, kept_image_path
from serving.request_log.settings import RequestLogSettings

_log = logging.getLogger(__name__)
_WAITING: Final = 10_000
_WAITING_BYTES: Final = 64 * 2**20
_LARGEST: Final = 8 * 2**20
_DAY: Final = 86_400.0


class ImageStore:
    """Writes images in a thread of its own; one too many at a time is not kept."""

    def __init__(self, settings: RequestLogSettings) -> None:
        """Looks at what is kept already, and starts."""
        self._folder = settings.folder.absolute()
        self._most_bytes = settings.keep_bytes - settings.file_bytes
        self._keep_seconds = settings.keep_days * _DAY
        self._kept: OrderedDict[Path, tuple[float, int]] = OrderedDict()
        self._bytes = 0
        self._said = ""
        self._waiting: queue.Queue[tuple[str, bytes] | None] = queue.Queue(_WAITING)
        self._waiting_bytes = 0
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._work, name="images", daemon=True)
        self._thread.start()

    def keep(self, images: list[bytes], digests: NDArray[Any]) -> None:
        """Keeps images if there is time for it.

        Args:
            images: their bytes.
            digests: SHA-256 of each, uint8 [n, 32].
        """
        for image, digest in zip(images, digests, strict=True):
            with self._lock:
                if len(image) > _LARGEST or self._waiting_bytes + len(image) > _WAITING_BYTES:
                    continue
                with suppress(queue.Full):
                    self._waiting.put_nowait((digest.tobytes().hex(), image))
                    self._waiting_bytes += len(image)

    def close(self) -> None:
        """Writes what waits."""
        self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        self._look()
        while (item := self._waiting.get()) is not None:
            digest, image = item
            with self._lock:
                self._waiting_bytes -= len(image)
            path = kept_image_path(self._folder, digest)
            try:
                self._make_room(0)
                if path in self._kept:
                    continue
                self._write(path, image)
                self._said = ""
            except OSError as error:
                words = error.strerror or str(error)
                if words != self._said:
                    _log.warning("Images are not kept in %s: %s.", self._folder, words)
                self._said = words

    def _look(self) -> None:
        found = []
        for path in image_files(self._folder):
            try:
                status = path.stat()
            except OSError:
                continue
            found.append((status.st_mtime, status.st_size, path))
        for changed, size, path in sorted(found):
            self._kept[path] = (changed, size)
            self._bytes += size

    def _write(self, path: Path, image: bytes) -> None:
        self._make_room(len(image))
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(UNFINISHED)
        try:
            unfinished.write_bytes(image)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        self._kept[path] = (time.time(), len(image))
        self._bytes += len(image)

    def _make_room(self, size: int) -> None:
        oldest = time.time() - self._keep_seconds
        while self._kept:
            path, (kept_at, kept_size) = next(iter(self._kept.items()))
            if self._bytes + size <= self._most_bytes and kept_at >= oldest:
                return
            path.unlink(missing_ok=True)
            del self._kept[path]
            self._bytes -= kept_size
