"""A copy of files of a bucket in a folder of this machine, brought up to date by what changed."""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.storage.atomic_write import write_atomically
from models.storage.buckets import Bucket, StoredFile
from models.storage.locations import join
from models.storage.place_error import PlaceError

_BATCH: Final = 256
"""Files that are fetched before the next are looked at."""
_BETWEEN: Final = 10.0
"""Seconds between two notes of how far it came."""


@dataclass(frozen=True, slots=True)
class Mirror:
    """What lies below a URI, and its copy here.

    One process at a time may bring it up to date. Killed, it goes on where it was.

    Attributes:
        uri: of the folder in the bucket.
        folder: of the copy. Other files in it are left alone.
        index: file that says what was fetched into it.
        incoming: folder for what is not whole yet; emptied.
    """

    uri: str
    folder: Path
    index: Path
    incoming: Path

    def update(self, parts: Sequence[str], say: Callable[[str], None]) -> None:
        """Fetches what is new or another one, and deletes here what was fetched and is gone.

        Args:
            parts: names of the files and folders below the URI that are wanted; empty for all of
                it. What was fetched of others is deleted here.
            say: gets a line where something is fetched, and one every ten seconds of it.

        Raises:
            PlaceError: the bucket cannot be listed or read, there is nothing at a part, or the
                copy cannot be written. What came is kept.
        """
        bucket = Bucket(self.uri)
        there = dict(each for part in parts for each in bucket.files(part))
        try:
            held = self._held()
            gone = held.keys() - there.keys()
            self._delete(held, gone)
            wanted = [name for name, file in there.items() if not self._has(name, file, held)]
            if wanted:
                self._fetch(bucket, {name: there[name] for name in wanted}, held, say)
            elif gone:
                self._note(held)
        except OSError as error:
            raise PlaceError(
                f"{error.filename or self.folder}: {error.strerror or error}"
            ) from error

    def _fetch(
        self,
        bucket: Bucket,
        wanted: Mapping[str, StoredFile],
        held: dict[str, StoredFile],
        say: Callable[[str], None],
    ) -> None:
        size = sum(file.size for file in wanted.values())
        self.folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(self.folder).free
        if size > free:
            raise PlaceError(
                f"{self.uri}: what is to be fetched has {size / 1e9:.1f} GB, and {self.folder} has "
                f"room for {free / 1e9:.1f} GB"
            )
        say(f"Fetching {len(wanted):,} files, {size / 1e6:,.1f} MB, from {self.uri}")
        shutil.rmtree(self.incoming, ignore_errors=True)
        self.incoming.mkdir(parents=True)
        names, told = list(wanted), time.monotonic()
        try:
            for begin in range(0, len(names), _BATCH):
                batch = names[begin : begin + _BATCH]
                self._take(bucket, {name: wanted[name] for name in batch})
                held.update((name, wanted[name]) for name in batch)
                if time.monotonic() > told + _BETWEEN:
                    told = time.monotonic()
                    self._note(held)
                    say(f"  {begin + len(batch):,} of {len(names):,}")
        finally:
            self._note(held)
            shutil.rmtree(self.incoming, ignore_errors=True)

    def _take(self, bucket: Bucket, wanted: Mapping[str, StoredFile]) -> None:
        files = {name: self.incoming / str(number) for number, name in enumerate(wanted)}
        bucket.download(files)
        for name, file in files.items():
            if file.stat().st_size != wanted[name].size:
                raise PlaceError(
                    f"{join(self.uri, name)}: it was listed with {wanted[name].size:,} bytes, and "
                    f"{file.stat().st_size:,} came. If somebody just changed it, call again"
                )
            target = self.folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            file.replace(target)

    def _has(self, name: str, file: StoredFile, held: Mapping[str, StoredFile]) -> bool:
        if held.get(name) != file:
            return False
        try:
            return (self.folder / name).stat().st_size == file.size
        except OSError:
            return False

    def _delete(self, held: dict[str, StoredFile], names: Iterable[str]) -> None:
        for name in sorted(names):
            (self.folder / name).unlink(missing_ok=True)
            del held[name]
            # Fails at the first folder in which something is left.
            with suppress(OSError):
                for above in Path(name).parents:
                    (self.folder / above).rmdir()

    def _held(self) -> dict[str, StoredFile]:
        """What was fetched; a note that is damaged costs fetching it again."""
        try:
            noted = json.loads(self.index.read_bytes())
            return {name: StoredFile(int(size), str(mark)) for name, (size, mark) in noted.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def _note(self, held: Mapping[str, StoredFile]) -> None:
        # A file counts as fetched only once its bytes would outlive a loss of power.
        os.sync()
        write_atomically(self.index, json.dumps(held).encode())
