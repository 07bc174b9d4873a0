"""Which images were seen before, in memory that does not grow."""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SLOTS: Final = 2**20
_TAG_BITS: Final = np.uint64(32)


class SeenDigests:
    """The newest million or so of images that a version answered.

    Each image has one place in a table, which the next image of that place takes over. So an image
    that comes again within a hundred thousand others is known in nine of ten cases at least, and a
    burst of the same one always is.

    Attributes:
        table: uint32 [2^20], what was last seen at each place; all of the state.
    """

    def __init__(self, table: NDArray[np.uint32] | None = None) -> None:
        """Begins with nothing seen, or with the table of another."""
        self.table = np.zeros(_SLOTS, np.uint32) if table is None else table.copy()

    def first_seen(self, version: str, digests: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Notes images, one after the other, and says which were not there before.

        Args:
            version: what answered them; the same image counts once for each.
            digests: the first 8 bytes of their SHA-256, uint64 [m].

        Returns:
            bool [m]. It does not matter how many are noted at a time.
        """
        salt = hashlib.sha256(version.encode("utf-8", "replace")).digest()[:8]
        keys = digests ^ np.frombuffer(salt, np.uint64)[0]
        places = (keys % np.uint64(_SLOTS)).astype(np.int64)
        tags = np.maximum((keys >> _TAG_BITS).astype(np.uint32), np.uint32(1))
        order = np.argsort(places, kind="stable")
        sorted_places, sorted_tags = places[order], tags[order]
        before = np.concatenate([sorted_tags[:0], sorted_tags[:-1]])
        starts = np.ones(len(order), bool)
        starts[1:] = sorted_places[1:] != sorted_places[:-1]
        previous = np.concatenate([np.zeros(1, np.uint32), before])[: len(order)]
        previous[starts] = self.table[sorted_places[starts]]
        ends = np.append(starts[1:], True)[: len(order)]
        self.table[sorted_places[ends]] = sorted_tags[ends]
        first = np.empty(len(order), bool)
        first[order] = previous != sorted_tags
        return first
