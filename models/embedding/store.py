"""A cache of embeddings on disk, addressed by the content of the images.

One directory holds the features of one backbone, set of weights and preprocessing (its key); an
image is found in it by the digest of its encoded bytes, whatever data set or run it came with.

Every `add` makes one shard of two files: `<shard>.features.npy` (float32 [n, d]) and, renamed into
place after it, `<shard>.index.npy` (the n digests). A shard without an index does not exist, so a
process killed half-way loses only the shard that it was writing.
"""

import hashlib
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.files import write_atomically

_INDEX: Final = ".index.npy"
_FEATURES: Final = ".features.npy"


def content_digest(encoded: bytes) -> str:
    """The address of an image: SHA-256 over its encoded bytes, hex."""
    return hashlib.sha256(encoded).hexdigest()


class EmbeddingStore:
    """Embeddings of one key. One process writes at a time; readers need no lock."""

    def __init__(self, directory: str | Path, key: str, dimension: int) -> None:
        """Opens the store of a key, which may be new.

        Damaged shards count as absent: their images are computed again.

        Args:
            directory: common to all keys.
            key: of backbone, weights and preprocessing.
            dimension: features of an image.
        """
        self._directory = Path(directory) / key
        self._dimension = dimension
        self._where: dict[str, tuple[NDArray[np.float32], int]] = {}
        for index in sorted(self._directory.glob(f"*{_INDEX}")):
            self._open(index)

    def __len__(self) -> int:
        return len(self._where)

    def __contains__(self, digest: str) -> bool:
        return digest in self._where

    def missing(self, digests: Iterable[str]) -> list[str]:
        """The digests that are not in the store, each once, in their order."""
        return [digest for digest in dict.fromkeys(digests) if digest not in self._where]

    def add(self, digests: Sequence[str], embeddings: NDArray[np.float32]) -> None:
        """Keeps the embeddings of a few hundred images, on disk when this returns.

        Args:
            digests: [n], at least one.
            embeddings: float32 [n, d].

        Raises:
            OSError: the disk is full or the directory cannot be written.
        """
        addresses = np.array(digests, dtype="S64")
        shard = hashlib.sha256(addresses.tobytes()).hexdigest()[:16]
        index = self._directory / f"{shard}{_INDEX}"
        write_atomically(self._directory / f"{shard}{_FEATURES}", _npy(embeddings))
        write_atomically(index, _npy(addresses))
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
            features, position = self._where[digest]
            result[row] = features[position]
        return result

    def _open(self, index: Path) -> None:
        try:
            addresses = np.load(index, allow_pickle=False)
            # Mapped, not read: a store of a million images must not fill the memory.
            features = np.load(
                index.with_name(index.name.replace(_INDEX, _FEATURES)),
                mmap_mode="r",
                allow_pickle=False,
            )
        except (OSError, ValueError, EOFError):
            return
        if features.shape != (len(addresses), self._dimension):
            return
        for position, address in enumerate(addresses.tolist()):
            self._where[address.decode()] = (features, position)


def _npy(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    return buffer.getvalue()
