"""Which images were seen before, in bounded memory."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_SLOTS: Final = 1 << 17
"""An image is known again among about so many different ones that came last. 1 MiB."""


class SeenDigests:
    """Fingerprints of images, each in a slot of its own until another one takes it.

    Attributes:
        slots: uint64 [131,072], 0 for none.
    """

    def __init__(self, slots: NDArray[np.uint64] | None = None) -> None:
        """Begins with none, or goes on with some slots, which change from then on."""
        self.slots = np.zeros(_SLOTS, np.uint64) if slots is None else slots

    def first_times(self, digests: NDArray[Any]) -> NDArray[np.bool_]:
        """Tells which images were not seen before, and keeps all in mind.

        Args:
            digests: m SHA-256 in hex, object [m].

        Returns:
            bool [m].
        """
        if not len(digests):
            return np.zeros(0, bool)
        marks = np.array([int(digest[:16], 16) or 1 for digest in digests], np.uint64)
        places = (marks % np.uint64(_SLOTS)).astype(np.int64)
        order = np.argsort(places, kind="stable")
        places, marks = places[order], marks[order]
        begins = np.concatenate([[True], places[1:] != places[:-1]])
        before = np.concatenate([marks[:1], marks[:-1]])
        before = np.where(begins, self.slots[places], before)
        ends = np.concatenate([begins[1:], [True]])
        self.slots[places[ends]] = marks[ends]
        fresh = np.empty(len(digests), bool)
        fresh[order] = marks != before
        return fresh
