"""What share of the labels is wrong, by the images that heads are surest of.

An image that is hard to tell is no image that heads are sure of; so where the label of one of those
is another than they say, it is the label that is wrong, and labels are wrong as often on hard
images as on these. They are the anchor points of T. Liu, D. Tao, "Classification with Noisy Labels
by Importance Reweighting", TPAMI 2016, and of G. Patrini et al., "Making Deep Neural Networks
Robust to Label Noise: A Loss Correction Approach", CVPR 2017, which read the noise off them too.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_SUREST: Final = 0.2
"""Of the images that are taken for a class, those that heads are surest of."""
_ERRORS: Final = 1.0
"""Standard errors that the share is taken to lie below what was counted."""


@dataclass(frozen=True)
class WrongShare:
    """An estimate.

    Attributes:
        surest: number of images that heads are surest of.
        others: of these, those that have another label than heads say.
    """

    surest: int
    others: int

    @property
    def least(self) -> float:
        """Share of labels that are wrong, 0..1, one standard error below the count (E. Wilson)."""
        if not self.others:
            return 0.0
        count, square = self.surest, _ERRORS**2
        share = self.others / count
        middle = share + square / (2 * count)
        error = _ERRORS * np.sqrt(share * (1 - share) / count + square / (4 * count**2))
        return float((middle - error) / (1 + square / count))


def wrong_share(labels: NDArray[np.integer], probabilities: NDArray[np.float32]) -> WrongShare:
    """Counts among the surest answers of each class.

    Args:
        labels: class indices, int [n].
        probabilities: of `models.head.out_of_fold`, float32 [n, k].
    """
    answered, surety = probabilities.argmax(axis=1), probabilities.max(axis=1)
    surest = np.zeros(len(labels), bool)
    for each in np.unique(answered):
        rows = np.flatnonzero(answered == each)
        most = int(np.ceil(_SUREST * len(rows)))
        surest[rows[np.argsort(-surety[rows], kind="stable")[:most]]] = True
    return WrongShare(int(surest.sum()), int((answered != labels)[surest].sum()))
