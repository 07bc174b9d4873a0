"""A cache of embeddings on disk, addressed by the content of the images.

One directory holds the features of one backbone, set of weights and preprocessing (its key); an
image is found in it by the digest of its encoded bytes, whatever data set or run it came with.

Every `add` makes one shard of two files: `<shard>.features.npy` (float32 [n, d]) and, renamed into
place after it, `<shard>.index.npy` (for each image its digest and a checksum of digest and
features). A shard without an index does not exist, so a process killed half-way loses only the
shard that it was writing. A shard is checked when one of its images is first asked for: an image
whose checksum is not right counts as absent. No file is left open, as a night's images make shards
of their own and a process may open only so many files.
"""

import hashlib
import io
import zlib
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.embedding.mapped import scratch_rows
from models.storage.atomic_write import write_atomically

_INDEX: Final = ".index.npy"
_FEATURES: Final = ".features.npy"
_AT_ONCE: Final = 4096
"""Images that are looked up together: the more, the fewer times is a shard opened."""
_ENTRY: Final = np.dtype([("digest", "S64"), ("checksum", "<u4")])


def content_digest(encoded: bytes) -> str:
    """The address of an image: SHA-256 over its encoded bytes, hex."""
    return hashlib.sha256(encoded).hexdigest()


def add_shard(folder: Path, digests: Sequence[str], embeddings: NDArray[np.float32]) -> Path:
    """Keeps the embeddings of a few hundred images, on disk when this returns.

    Any number of processes may do so at a time; a store that is open does not see it.

    Args:
        folder: of the store's key.
        digests: [n], at least one.
        embeddings: float32 [n, d].

    Returns:
        The shard's index.

    Raises:
        ValueError: a feature is not a finite number.
        OSError: the disk is full or the folder cannot be written.
    """
    features = np.asarray(embeddings, np.float32)
    if not np.isfinite(features).all():
        raise ValueError("features that are no finite numbers")
    rows = zip(digests, features, strict=True)
    entries = np.array(
        [(digest.encode(), _checksum(digest.encode(), row)) for digest, row in rows], _ENTRY
    )
    index = _index_of(folder, entries["digest"])
    write_atomically(_features_of(index), _npy(features))
    write_atomically(index, _npy(entries))
    return index


class EmbeddingStore:
    """Embeddings of one key. One process writes at a time; readers need no lock."""

    def __init__(self, directory: str | Path, key: str, dimension: int) -> None:
        """Opens the store of a key, which may be new.

        What is damaged counts as absent, and so do shards of an earlier Graft, which have no
        checksums: their images are computed again.

        Args:
            directory: common to all keys.
            key: of backbone, weights and preprocessing.
            dimension: features of an image.
        """
        self.directory: Final = Path(directory) / key
        self._dimension = dimension
        self._where: dict[str, tuple[int, int]] = {}
        """Digest to the number of the shard and the row in it."""
        self._shards: list[Path] = []
        self._unchecked: set[int] = set()
        for index in sorted(self.directory.glob(f"*{_INDEX}")):
            self._open(index)

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, digest: str) -> bool:
        place = self._where.get(digest)
        if place is None or place[0] not in self._unchecked:
            return place is not None
        self._check(place[0])
        return digest in self

    def missing(self, digests: Iterable[str]) -> list[str]:
        """The digests that are not in the store, each once, in their order."""
        return [digest for digest in dict.fromkeys(digests) if digest not in self]

    def add(self, digests: Sequence[str], embeddings: NDArray[np.float32]) -> None:
        """Keeps the embeddings of a few hundred images, as `add_shard` does."""
        self._open(add_shard(self.directory, digests, embeddings))

    def notice(self, digests: Sequence[str]) -> None:
        """Opens the shard that another process made of these very images, if there is one."""
        index = _index_of(self.directory, np.array(digests, _ENTRY["digest"]))
        if index.exists():
            self._open(index)

    def get(self, digests: Sequence[str]) -> NDArray[np.float32]:
        """Reads embeddings.

        Args:
            digests: [n], all of them in the store.

        Returns:
            float32 [n, d].

        Raises:
            KeyError: one is not in the store.
        """
        for digest in digests:
            if digest not in self:
                raise KeyError(digest)
        result = np.empty((len(digests), self._dimension), np.float32)
        # One shard after the other, as each has to be opened.
        wanted = sorted((*self._where[digest], row) for row, digest in enumerate(digests))
        for shard, places in groupby(wanted, key=lambda place: place[0]):
            _, positions, rows = zip(*places, strict=True)
            features = np.load(_features_of(self._shards[shard]), mmap_mode="r")
            result[list(rows)] = features[list(positions)]
        return result

    def mapped(self, digests: Sequence[str]) -> NDArray[np.float32]:
        """The same as `get`, where that would not fit into memory: in a file that is mapped.

        Args:
            digests: [n], all of them in the store.

        Returns:
            float32 [n, d], to be read only.

        Raises:
            KeyError: one is not in the store.
            OSError: the disk is full or the directory cannot be written.
        """
        starts = range(0, len(digests), _AT_ONCE)
        blocks = (self.get(digests[at : at + _AT_ONCE]) for at in starts)
        return scratch_rows(blocks, (len(digests), self._dimension), self.directory)

    def _open(self, index: Path) -> None:
        read = self._read(index)
        if read is None:
            return
        number = len(self._shards)
        self._shards.append(index)
        self._unchecked.add(number)
        for position, digest in enumerate(_names(read[0])):
            self._where[digest] = number, position

    def _read(self, index: Path) -> tuple[NDArray[Any], NDArray[np.float32]] | None:
        """Entries and features of a shard; None where they are not what they should be."""
        try:
            entries = np.load(index, allow_pickle=False)
            # Mapped, not read: a store of a million images must not fill the memory.
            features = np.load(_features_of(index), mmap_mode="r", allow_pickle=False)
        except Exception:  # noqa: BLE001 - NumPy parses the header, and raises whatever it meets
            return None
        if entries.dtype != _ENTRY or features.dtype != np.float32:
            return None
        return (entries, features) if features.shape == (len(entries), self._dimension) else None

    def _check(self, shard: int) -> None:
        """Forgets the images of a shard whose features are not those that were added."""
        self._unchecked.remove(shard)
        read = self._read(self._shards[shard])
        if read is None:
            gone = {digest for digest, place in self._where.items() if place[0] == shard}
        else:
            rows = zip(_names(read[0]), *read, strict=True)
            gone = {digest for digest, entry, row in rows if not _is_whole(entry, row)}
        for digest in gone:
            if self._where.get(digest, (None,))[0] == shard:
                del self._where[digest]


def _index_of(folder: Path, digests: NDArray[np.bytes_]) -> Path:
    shard = hashlib.sha256(digests.tobytes()).hexdigest()[:16]
    return folder / f"{shard}{_INDEX}"


def _features_of(index: Path) -> Path:
    return index.with_name(index.name.replace(_INDEX, _FEATURES))


def _names(entries: NDArray[Any]) -> list[str]:
    return [digest.decode("ascii", "replace") for digest in entries["digest"].tolist()]


def _is_whole(entry: Any, row: NDArray[np.float32]) -> bool:
    is_same = _checksum(entry["digest"], row) == entry["checksum"]
    return bool(is_same and np.isfinite(row).all())


def _checksum(digest: bytes, row: NDArray[np.float32]) -> int:
    return zlib.crc32(row.tobytes(), zlib.crc32(digest))


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
