"""A share that is looked at again and again, as long as one likes.

An interval of 95 % that is computed anew with each image leaves out the truth sooner or later; a
confidence sequence holds it at all times at once, in 95 of 100 cases.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.optimize import brentq
from scipy.special import logsumexp

from models.intervals import Interval

_TILTS: Final = np.concatenate([sign * np.geomspace(0.02, 6.0, 40) for sign in (-1.0, 1.0)])
"""Bets on one side and on the other, small ones for shares of many images."""
_EDGE: Final = 1e-9


@dataclass(frozen=True, slots=True)
class ShareSoFar:
    """Hits among images; grows image by image.

    Attributes:
        hits: images that count, such as those answered rightly.
        images: in all.
    """

    hits: int = 0
    images: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.images:
            raise ValueError(f"{self.hits} hits of {self.images} images")

    def interval(self, miss: float = 0.05) -> Interval:
        """Interval of the mean chance of a hit so far, at this time and at all others at once.

        The chance may differ from image to image and may depend on the past: what is enclosed is
        the mean of the chances of the images that came. For a tilt t, the product over the images
        of exp(t x) / (1 - p + p exp(t)) is a martingale; the mean chance in the place of each p
        makes it smaller, as log(1 - p + p exp(t)) is concave in p. A mean over fixed tilts is one
        too, and by Ville's inequality exceeds 1 / miss in at most the share `miss` of cases.

        Args:
            miss: chance that the truth is ever left out.

        Reference: Howard, Ramdas, McAuliffe and Sekhon, Time-uniform, Nonparametric,
        Nonasymptotic Confidence Sequences, 2021 (discrete mixtures).
        """
        if not self.images:
            return 0.0, 1.0
        share = self.hits / self.images
        low = 0.0 if self.hits == 0 else self._root(_EDGE, share, miss)
        high = 1.0 if self.hits == self.images else self._root(1 - _EDGE, share, miss)
        return low, high

    def log_evidence(self, chance: float) -> float:
        """Log of the evidence against a mean chance so far; its exponent is an e-value."""
        tilted = np.log1p(chance * np.expm1(_TILTS))
        return float(logsumexp(_TILTS * self.hits - self.images * tilted) - np.log(len(_TILTS)))

    def _root(self, far: float, share: float, miss: float) -> float:
        """Where between the end and the share seen the evidence falls to 1 / `miss`."""

        def excess(chance: float) -> float:
            return self.log_evidence(chance) + float(np.log(miss))

        near = min(max(share, _EDGE), 1 - _EDGE)
        return float(brentq(excess, far, near)) if excess(far) > 0 else round(far)
