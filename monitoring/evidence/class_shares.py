"""Bets that some classes became rarer and others more frequent since some image.

An image counts for each class with the probability that it was given. Where nothing but the shares
of the classes changes (label shift: Z. Lipton et al., "Detecting and correcting for label shift
with black box predictors", 2018), an image is so many times as likely as before as the sum, over
the classes, of its probability times what the class's share was multiplied by. These ratios are
what the images since the start make of them, believed beforehand to lie around 1, two fifths to
either side: the ridge regression of what is seen more often, on all images before.

What a stake of 1 becomes is that number of the image, divided by its mean over the reference, all
images before and the image itself. While nothing changes, the image may as well be any other of
these, and the stake stays what it is on average, however few images the reference has: its shares
are not taken for the true ones (conformal e-values: V. Vovk, I. Nouretdinov, A. Gammerman,
"Conformal e-testing", 2024). Unlike ranks, these numbers tell something of one another, of the
order of one over the images before; it is neglected, as that of several ranks is (`growing_bag`).

Only sums are kept. They are of whole numbers, so that they are the same in whatever order.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.observation.reference import Reference
from monitoring.observations import Observations

STARTS: Final = 10
"""Images from which on it is bet that the shares changed, at a time."""
BETWEEN: Final = 64
"""Images from one start to the next; a multiple of `learned_bets.EVERY`."""
_TOP: Final = 5
"""Classes of an image that the log names, if there are as many."""
_MOST: Final = 64
"""Classes told apart; where there are more, some count together."""
_UNIT: Final = 4096
"""Parts of an image in all."""
_RATIO: Final = 1024
"""Steps of a ratio in 1."""
_LEAST, _LARGEST = 0.1, 4.0
"""Of the ratios."""
_DOUBT: Final = 6.0
"""One over the variance of the ratios, as they are believed to be beforehand."""


class ClassShares:
    """What was seen of each class, and what is bet on it.

    Attributes:
        held: parts of each class in all images that others are held against, and in the last
            column the images, int64 [c + 1].
        since: the same of the images since each start, int64 [STARTS, c + 1].
        ratios: of the shares, in steps of 1/1024; 0 in the last column, int64 [STARTS, c + 1].
    """

    def __init__(self, reference: Reference) -> None:
        """Begins with the reference's images."""
        classes = len(reference.classes)
        count = min(classes, _MOST)
        self._groups = np.arange(classes) * count // classes
        served = reference.probabilities.astype(np.float64)
        top = np.argsort(-served, axis=1, kind="stable")[:, :_TOP]
        parts = self._parts(top, np.take_along_axis(served, top, axis=1))
        self.held = parts.sum(axis=0)
        each = parts[:, :-1] / _UNIT
        each -= each.sum(axis=0) / max(len(each), 1)
        self._variances, self._axes = np.linalg.eigh(each.T @ each / max(len(each), 1))
        self.since = np.zeros((STARTS, count + 1), np.int64)
        self.ratios = np.zeros((STARTS, count + 1), np.int64)
        for place in range(STARTS):
            self.begin(place)

    def of(self, observations: Observations) -> NDArray[np.int64]:
        """The parts of images, int64 [m, c + 1]; zeros where the log does not say."""
        return self._parts(observations.top_ids, observations.top_probabilities)

    def _parts(self, ids: NDArray[np.integer], served: NDArray[np.floating]) -> NDArray[np.int64]:
        count, classes = int(self._groups[-1]) + 1, len(self._groups)
        named = min(_TOP, classes)
        ids, served = ids[:, :named], served[:, :named].astype(np.float64)
        known = ((ids >= 0) & (ids < classes)).all(axis=1) & (ids.shape[1] == named)
        groups = self._groups[np.where(known[:, None], ids, 0)]
        places = np.arange(len(ids))[:, None] * count + groups
        shares = np.bincount(places.ravel(), served.ravel(), len(ids) * count)
        rest = np.maximum(1.0 - served.sum(axis=1), 0.0) / count
        parts = np.rint(_UNIT * (shares.reshape(-1, count) + rest[:, None]))
        return np.column_stack([parts, np.ones(len(ids))]).astype(np.int64) * known[:, None]

    def begin(self, place: int) -> None:
        """Begins anew with one of the starts."""
        self.since[place] = 0
        self.ratios[place] = _RATIO
        self.ratios[place, -1] = 0

    def outcomes(self, parts: NDArray[np.int64], *, growing: bool) -> NDArray[np.float64]:
        """What a stake of 1 becomes with each image.

        Args:
            parts: of the next images, int64 [m, c + 1].
            growing: each image is held against those before it in `parts`, too.

        Returns:
            float64 [m, STARTS].
        """
        # Whole numbers below 2^53: BLAS gives the same, however it adds them up.
        ratios = self.ratios.T.astype(np.float64)
        others = self.held + (parts.cumsum(axis=0) if growing else parts)
        known = parts[:, -1] > 0
        own, mean = parts @ ratios, others @ ratios / np.maximum(others[:, -1:], 1)
        won = np.ones_like(own)
        won[known] = own[known] / mean[known]
        return won

    def see(self, parts: NDArray[np.int64], *, growing: bool) -> None:
        """Takes note of images, without going by them yet; `growing` as for `outcomes`."""
        seen = parts.sum(axis=0)
        self.since += seen
        if growing:
            self.held += seen

    def learn(self) -> None:
        """Goes by the images that it took note of."""
        images = self.since[:, -1:]
        usual = self.held[:-1] / max(int(self.held[-1]), 1)
        more = (self.since[:, :-1] - images * usual) / _UNIT
        weights = images * self._variances + _DOUBT
        ratios = 1.0 + (more @ self._axes / weights) @ self._axes.T
        self.ratios[:, :-1] = np.rint(_RATIO * np.clip(ratios, _LEAST, _LARGEST))
