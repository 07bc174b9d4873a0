"""Digests of the source files, remembered between runs, and the fingerprint made of them.

TFX fingerprints files by their number, size and time in whole seconds; Graft by their content,
so that touching a file re-runs nothing and changing one always does. Reading every byte on every
run would be slow: a file whose size, modification and change time are those of last time is
taken to have the same content.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from components.example_gen.side_by_side import pays_side_by_side
from components.example_gen.sources.entries import LeftOut, Listing, SourceFile, Stamp
from components.example_gen.sources.file_kinds import open_regular
from models import progress
from models.storage.seals import read_sealed, write_sealed

_SETTLED_NS = 2_000_000_000
"""A file changed less than this before it was read might change again within the clock's tick."""
_CHUNK = 1 << 20
_BATCH = 64


class DigestCache:
    """SHA-256 of files, remembered by path and stamp in one JSON file a source."""

    def __init__(self, directory: str, source: str) -> None:
        """Opens the memory of one source.

        Args:
            directory: where the memory lies; empty for none.
            source: its path, which names its memory; without what differs from span to span.
        """
        key = hashlib.sha256(os.fsencode(source)).hexdigest()[:16]
        self._file = Path(directory) / f"digests-{key}.json" if directory else None
        self._known = _load(self._file) if self._file else {}

    def digests(self, files: Sequence[SourceFile]) -> list[str | LeftOut]:
        """Digests files, reading only what is new or changed.

        Args:
            files: what to digest.

        Returns:
            For each file its hex SHA-256, or a refusal where it cannot be read.

        Raises:
            OSError: the memory cannot be written.
        """
        batches = [files[at : at + _BATCH] for at in range(0, len(files), _BATCH)]
        side_by_side = pays_side_by_side([file.stamp[0] for file in files])
        threads = len(os.sched_getaffinity(0)) if side_by_side else 1
        results: list[str | LeftOut] = []
        with ThreadPoolExecutor(threads) as pool:
            for outcome in pool.map(self._batch, batches):
                results += outcome
                progress.report(len(results), len(files), "images", "looking for changes")
        self._remember(files, results)
        return results

    def _batch(self, files: Sequence[SourceFile]) -> list[str | LeftOut]:
        return [self._one(file) for file in files]

    def _one(self, file: SourceFile) -> str | LeftOut:
        known = self._known.get(file.path)
        if known and known[0] == file.stamp:
            return known[1]
        try:
            return _sha256(file.path, file.stamp[0])
        except OSError as error:
            return LeftOut(file.name, "unreadable", error.strerror or str(error))

    def _remember(self, files: Sequence[SourceFile], digests: Sequence[str | LeftOut]) -> None:
        settled = time.time_ns() - _SETTLED_NS
        fresh = {
            file.path: (file.stamp, digest)
            for file, digest in zip(files, digests, strict=True)
            if isinstance(digest, str) and max(file.stamp[1:]) < settled
        }
        if self._file and fresh != self._known:
            self._known = fresh
            _save(self._file, fresh)


def fingerprint(listing: Listing, digests: Sequence[str | LeftOut]) -> str:
    """Digests what a source holds: each file's split, label, name, content and group.

    Args:
        listing: what the source holds.
        digests: of `listing.files`, from `DigestCache.digests`.

    Returns:
        64 hex digits; the same for the same content wherever it lies, whenever it was written.
    """
    total = hashlib.sha256(listing.kind.encode())
    for line in sorted(_lines(listing, digests)):
        total.update(json.dumps(line).encode())
    return total.hexdigest()


def _lines(listing: Listing, digests: Sequence[str | LeftOut]) -> Iterator[list[str]]:
    for file, digest in zip(listing.files, digests, strict=True):
        content = digest if isinstance(digest, str) else digest.code
        yield [file.split or "", file.label, file.name, content, file.group, *file.slices]
    for one in listing.left_out:
        yield ["", "", one.name, one.code]


def _sha256(path: str, size: int) -> str:
    """Digests as many bytes as a file had when it was listed: some of the system's never end."""
    digest = hashlib.sha256()
    file, _ = open_regular(path)  # a file object costs as much as reading a small file
    try:
        while size and (chunk := os.read(file, min(size, _CHUNK))):
            digest.update(chunk)
            size -= len(chunk)
    finally:
        os.close(file)
    return digest.hexdigest()


def _load(file: Path) -> dict[str, tuple[Stamp, str]]:
    try:
        entries = json.loads(read_sealed(file) or b"")
        return {path: ((size, mtime, ctime), sha) for path, size, mtime, ctime, sha in entries}
    except (ValueError, TypeError):  # absent or damaged: it is only a memory
        return {}


def _save(file: Path, known: dict[str, tuple[Stamp, str]]) -> None:
    entries = [[path, *stamp, sha] for path, (stamp, sha) in known.items()]
    write_sealed(file, json.dumps(entries, separators=(",", ":")).encode())
