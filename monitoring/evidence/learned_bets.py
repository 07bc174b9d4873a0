"""Bets that images go on lying where images lay of late, whatever the pattern.

The cells of each signal are put together to groups, each with about as many of the reference's
images, or with one class each. The stakes go to the groups in the shares in which the latest images
were in them, less whatever the reference and all images before make of them (V. Fedorova et al.,
"Plug-in martingales for testing exchangeability on-line", 2012). Bets are on ranks: the part of
0..1 that a group takes up is what it has of the images so far.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.grids import CELLS, UNKNOWN

GROUPS: Final = 32
"""At most; a number of an image has half as many."""
EVERY: Final = 32
"""Images between two updates."""
MEMORIES: Final = ((50.0, 20.0), (200.0, 50.0))
"""Images that a bet goes by, and how many it believes to have seen beforehand. Longer memories find
what is smaller still, but then also by how much one sample of images differs from another."""
_ROOM: Final = 0.3
"""Images that each group is believed to have had beforehand, so that none takes up nothing."""


class LearnedBets:
    """How many images were in which group.

    Attributes:
        groups: of each cell, int64 [s, CELLS].
        held: images in all that others are ranked among, float64 [s, GROUPS].
        seen: of late, float64 [s, len(MEMORIES), GROUPS].
        waiting: since the last update, float64 [s, GROUPS].
        borders: rank below which an image is in a higher group, float64 [s, GROUPS].
        densities: what a stake of 1 becomes in each group, float64 [s, GROUPS, len(MEMORIES)].
    """

    def __init__(self, counts: NDArray[np.int64], classes: tuple[bool, ...]) -> None:
        """Begins with the reference.

        Args:
            counts: of its images in each cell, int [s, CELLS].
            classes: of each signal: the cells are classes, or regions.
        """
        count = len(counts)
        self.groups = np.zeros((count, CELLS), np.int64)
        self.held = np.zeros((count, GROUPS))
        self.seen = np.zeros((count, len(MEMORIES), GROUPS))
        self.waiting = np.zeros((count, GROUPS))
        self.borders = np.zeros((count, GROUPS))
        self.densities = np.ones((count, GROUPS, len(MEMORIES)))
        for signal, each in enumerate(classes):
            self.begin(signal, counts[signal], classes=each)

    def begin(self, signal: int, counts: NDArray[np.int64], *, classes: bool = False) -> None:
        """Begins anew with one signal, of which no image but the reference's was seen yet."""
        self.groups[signal] = _groups_of(counts, classes=classes)
        self.held[signal] = np.bincount(self.groups[signal], counts, GROUPS)
        self.seen[signal] = 0.0
        self.waiting[signal] = 0.0
        self._settle(slice(signal, signal + 1))

    def see(self, cells: NDArray[np.int16]) -> None:
        """Takes note of images, int16 [m, s], without going by them yet."""
        signals = np.arange(len(self.groups))
        places = (signals * GROUPS + self.groups[signals, cells])[cells != UNKNOWN]
        counts = np.bincount(places, minlength=self.waiting.size)
        self.waiting += counts.reshape(self.waiting.shape)

    def learn(self, *, growing: bool) -> None:
        """Goes by the images that it took note of; `growing` as for `GrowingBag.p_values`."""
        for number, (memory, _) in enumerate(MEMORIES):
            self.seen[:, number] *= (1 - 1 / memory) ** EVERY
        self.seen += self.waiting[:, None]
        if growing:
            self.held += self.waiting
        self.waiting[:] = 0.0
        self._settle(slice(None))

    def _settle(self, signals: slice) -> None:
        """Works out the bets from what was seen."""
        widths = self.held[signals] + _ROOM
        widths /= widths.sum(axis=1, keepdims=True)
        self.borders[signals] = 1.0 - widths.cumsum(axis=1)
        for number, (_, before) in enumerate(MEMORIES):
            shares = self.seen[signals, number] + before * widths
            shares /= shares.sum(axis=1, keepdims=True)
            self.densities[signals, :, number] = shares / widths

    def outcomes(self, ranks: NDArray[np.float64]) -> NDArray[np.float64]:
        """What a stake of 1 becomes, float64 [m, s, len(MEMORIES)], with ranks [m, s]."""
        groups = (ranks[:, :, None] < self.borders).sum(axis=2)
        places = np.minimum(groups, GROUPS - 1)
        return self.densities[np.arange(ranks.shape[1]), places]


def _groups_of(counts: NDArray[np.int64], *, classes: bool) -> NDArray[np.int64]:
    """Puts cells together.

    Args:
        counts: of the reference's images in each cell, int [CELLS].
        classes: each cell is a class, or a region.

    Returns:
        The group of each cell, rising, int64 [CELLS].
    """
    if classes:
        used = int(np.flatnonzero(counts)[-1]) + 1 if counts.any() else 1
        groups = min(used, GROUPS)
        return np.minimum(np.arange(CELLS) * groups // used, groups - 1)
    below = 2 * counts.cumsum() - counts
    return np.minimum(below * (GROUPS // 2) // max(2 * int(counts.sum()), 1), GROUPS // 2 - 1)
