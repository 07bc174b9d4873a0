"""Since when ranks are no longer uniform.

For each image that the change may have begun with, the ranks from there on are scored by a
histogram of unknown shape, integrated over all shapes (a Dirichlet prior), against uniform ranks.
All beginnings being as likely beforehand, that gives the probability of each (R. P. Adams,
D. J. C. MacKay, "Bayesian online changepoint detection", 2007, for one change).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

_BINS: Final = 10
_PRIOR: Final = 1.0
"""Of the Dirichlet distribution: of any shape whatever."""
_SURE: Final = 0.95


@dataclass(frozen=True)
class ChangePoint:
    """When a change began.

    Attributes:
        first: place of the earliest image that it may have begun with, 95 % sure.
        likeliest: place of the likeliest one.
        last: place of the latest one.
        log_odds: of each image since the likeliest beginning: how much less usual its rank was
            before it, in nats, float64 [r - likeliest].
    """

    first: int
    likeliest: int
    last: int
    log_odds: NDArray[np.float64]


def find_change(
    ranks: NDArray[np.floating], known: NDArray[np.bool_], images: int = 1
) -> ChangePoint:
    """Finds the one change in a row of ranks.

    Args:
        ranks: of at least one image, the last of them after the change, [r], 0..1.
        known: bool [r]; an unknown rank says nothing.
        images: at least so many came after the change, or all.
    """
    bins = np.minimum((ranks * _BINS).astype(np.int64), _BINS - 1)
    each = np.zeros((len(ranks), _BINS))
    each[np.arange(len(ranks)), bins] = known
    counts = each[::-1].cumsum(axis=0)[::-1]
    sizes = counts.sum(axis=1)
    prior = _BINS * _PRIOR
    evidence = (
        gammaln(counts + _PRIOR).sum(axis=1)
        - _BINS * gammaln(_PRIOR)
        - gammaln(sizes + prior)
        + gammaln(prior)
        + sizes * np.log(_BINS)
    )
    latest = max(len(ranks) - images, 0)
    evidence[latest + 1 :] = -np.inf
    odds = np.exp(evidence - evidence.max())
    chances = (odds / odds.sum()).cumsum()
    low, high = np.searchsorted(chances, ((1 - _SURE) / 2, (1 + _SURE) / 2))
    likeliest = int(evidence.argmax())
    shape = (counts[likeliest] + _PRIOR) * (_BINS / (sizes[likeliest] + prior))
    log_odds = np.where(known, np.log(shape)[bins], 0.0)[likeliest:]
    last = min(max(int(high), likeliest), latest)
    return ChangePoint(min(int(low), likeliest), likeliest, last, log_odds)
