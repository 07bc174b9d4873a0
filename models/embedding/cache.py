"""A cache of embeddings on disk, addressed by the content of the images.

One directory holds the features of one backbone, set of weights and preprocessing (its key); an
image is found in it by the digest of its encoded bytes, whatever data set or run it came with.

Every `add` makes one shard of two files: `<shard>.features.npy` (float32 [n, d]) and, renamed into
place after it, `<shard>.index.npy` (for each image its digest and a checksum of digest and
features). A shard without an index does not exist, so a process killed half-way loses only the
shard that it was writing. An image is checked when it is first asked for: one whose checksum is not
right counts as absent.
"""

import hashlib
import io
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.storage.atomic_write import write_atomically

_INDEX: Final = ".index.npy"
_FEATURES: Final = ".features.npy"
_ENTRY: Final = np.dtype([("digest", "S64"), ("checksum", "<u4")])


@dataclass(frozen=True, slots=True)
class _Row:
    """Where the features of one image are."""

    features: NDArray[np.float32]
    position: int
    checksum: int

    def read(self) -> NDArray[np.float32]:
        row: NDArray[np.float32] = self.features[self.position]
        return row

    def is_whole(self, digest: str) -> bool:
        row = self.read()
        return _checksum(digest.encode(), row) == self.checksum and bool(np.isfinite(row).all())


def content_digest(encoded: bytes) -> str:
    """The address of an image: SHA-256 over its encoded bytes, hex."""
    return hashlib.sha256(encoded).hexdigest()


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
        self._directory = Path(directory) / key
        self._dimension = dimension
        self._where: dict[str, _Row] = {}
        self._checked: set[str] = set()
        for index in sorted(self._directory.glob(f"*{_INDEX}")):
            self._open(index)

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, digest: str) -> bool:
        if digest not in self._checked:
            row = self._where.get(digest)
            if row is None:
                return False
            if not row.is_whole(digest):
                del self._where[digest]
                return False
            self._checked.add(digest)
        return True

    def missing(self, digests: Iterable[str]) -> list[str]:
        """The digests that are not in the store, each once, in their order."""
        return [digest for digest in dict.fromkeys(digests) if digest not in self]

    def add(self, digests: Sequence[str], embeddings: NDArray[np.float32]) -> None:
        """Keeps the embeddings of a few hundred images, on disk when this returns.

        Args:
            digests: [n], at least one.
            embeddings: float32 [n, d].

        Raises:
            ValueError: a feature is not a finite number.
            OSError: the disk is full or the directory cannot be written.
        """
        features = np.asarray(embeddings, np.float32)
        if not np.isfinite(features).all():
            raise ValueError("features that are no finite numbers")
        rows = zip(digests, features, strict=True)
        entries = np.array(
            [(digest.encode(), _checksum(digest.encode(), row)) for digest, row in rows], _ENTRY
        )
        shard = hashlib.sha256(entries["digest"].tobytes()).hexdigest()[:16]
        index = self._directory / f"{shard}{_INDEX}"
        write_atomically(self._directory / f"{shard}{_FEATURES}", _npy(features))
        write_atomically(index, _npy(entries))
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
        result = np.empty((len(digests), self._dimension), np.float32)
        for row, digest in enumerate(digests):
            if digest not in self:
                raise KeyError(digest)
            result[row] = self._where[digest].read()
        return result

    def _open(self, index: Path) -> None:
        try:
            entries = np.load(index, allow_pickle=False)
            # Mapped, not read: a store of a million images must not fill the memory.
            features = np.load(
                index.with_name(index.name.replace(_INDEX, _FEATURES)),
                mmap_mode="r",
                allow_pickle=False,
            )
        except Exception:  # noqa: BLE001 - NumPy parses the header, and raises whatever it meets
            return
        if entries.dtype != _ENTRY or features.dtype != np.float32:
            return
        if features.shape != (len(entries), self._dimension):
            return
        for position, (digest, checksum) in enumerate(entries.tolist()):
            name = digest.decode("ascii", "replace")
            self._where[name] = _Row(features, position, checksum)
            self._checked.discard(name)


def _checksum(digest: bytes, row: NDArray[np.float32]) -> int:
    return zlib.crc32(row.tobytes(), zlib.crc32(digest))


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
