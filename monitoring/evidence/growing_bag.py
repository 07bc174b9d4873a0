"""Ranks of images among the reference and all images before them.

While nothing changes, the images of the reference and of the stream are exchangeable, and the rank
of a new image among those before it, with ties broken at random, is uniform and independent of all
ranks before: a conformal p-value (V. Vovk, A. Gammerman, G. Shafer, "Algorithmic Learning in a
Random World", 2005, chapter 2). That holds for the smallest reference, since what it happens to be
like is forgotten as fast as the stream makes up for it; ranks in a fixed reference would repeat its
own error with each image until it looks like a shift (M. Bates et al., "Testing for
outliers with conformal p-values", 2023).

A rank is independent of the ranks before it by the same number. What the ranks by other numbers
tell of the images before, and so of the next rank, is of the order of one over their count; it is
neglected where evidence of several numbers is averaged.

Only counts on a fixed grid are kept, however long the stream: cells are scores too, with more ties.
"""

import numpy as np
from numpy.typing import NDArray

from monitoring.evidence.grids import CELLS, UNKNOWN


class GrowingBag:
    """How often each cell was seen.

    Attributes:
        counts: int64 [s, CELLS], of each signal.
    """

    def __init__(self, counts: NDArray[np.int64]) -> None:
        """Takes the counts, which change from then on."""
        self.counts = counts

    @classmethod
    def of(cls, cells: NDArray[np.int16]) -> "GrowingBag":
        """Begins with the cells of the reference, int16 [n, s]."""
        bag = cls(np.zeros((cells.shape[1], CELLS), np.int64))
        bag.absorb(cells)
        return bag

    def absorb(self, cells: NDArray[np.int16]) -> None:
        """Counts the cells of more images, int16 [m, s]."""
        places = (np.arange(cells.shape[1]) * CELLS + cells)[cells != UNKNOWN]
        self.counts += np.bincount(places, minlength=self.counts.size).reshape(self.counts.shape)

    def p_values(
        self, cells: NDArray[np.int16], uniforms: NDArray[np.float64], *, growing: bool
    ) -> NDArray[np.float64]:
        """Ranks images from above: near 0 for the highest, near 1 for the lowest.

        Args:
            cells: int16 [m, s]; time and memory grow with m².
            uniforms: 0..1, float64 [m, s], which break ties.
            growing: each image is ranked among those before it in `cells`, too.

        Returns:
            float64 [m, s] in 0..1; of no meaning where the cell is unknown.
        """
        totals = self.counts.cumsum(axis=1)
        signals = np.arange(len(self.counts))
        equal = self.counts[signals, cells]
        size = totals[:, -1]
        above = size - totals[signals, cells]
        if growing:
            columns = np.ascontiguousarray(cells.T)
            own, others = columns[:, :, None], columns[:, None, :]
            before = np.tri(len(cells), k=-1, dtype=bool)
            equal = equal + _count((others == own) & before)
            above = above + _count((others > own) & before)
            size = size + _count((others != UNKNOWN) & before)
        return (above + uniforms * (equal + 1)) / (size + 1)


def _count(true: NDArray[np.bool_]) -> NDArray[np.int64]:
    """How many are true along the last axis, of [s, m, m], as int [m, s]."""
    return true.sum(axis=2, dtype=np.uint8).T.astype(np.int64)
