"""How much each earlier search is listened to, from how it ranks the new search's own trials."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from models.oracles.warm.encoding import Floats

COLD_PRIOR = 0.4
"""Weight of the cold search before the first trial: one pair of trials that the past had the wrong
way round is enough to let it go on."""

_DEVIATION = 0.8
"""Of the difference between two trials' normal scores from what a source expects of it."""

_SLIP = 0.02
"""Chance that a pair of trials is ranked by something that no model knows."""

_DROP = 3.0
"""A source is dropped when chance explains the ranking of the trials e³ = 20 times as well."""


@dataclass(frozen=True)
class Weights:
    """Shares of belief; with the cold search's they add up to 1.

    Attributes:
        sources: float64 [s].
        cold: the share of the search's own trials alone.
        dropped_after: number of trials after which each source was dropped, [s]; None if it stays.
    """

    sources: Floats
    cold: float
    dropped_after: tuple[int | None, ...]


def weigh(priors: Floats, predictions: Floats, scores: Floats) -> Weights:
    """Weighs sources by the likelihood of the order in which the trials came out.

    RGPE (Feurer et al., Practical Transfer Learning for Bayesian Optimization, 2018) counts
    misranked pairs; here a pair counts by how far apart the source expected its two trials to be
    (Thurstone's and Mosteller's probit model of comparisons), for among trials that were all
    expected to be good the order is noise. Chance, that is the cold search, is one of those who
    compete, and a source that loses to it is dropped for good: with fifty useless sources the cold
    search keeps its weight. The pairs of n trials count like n - 1 independent ones.

    Args:
        priors: belief in each before the first trial, float64 [s], adding up to less than 1; what
            is left is the cold search's.
        predictions: of each source for each trial, in normal scores, float64 [s, n].
        scores: of the trials in order, float64 [n].
    """
    lead = _lead_over_chance(predictions, scores)
    dropped_after = tuple(map(_first, lead < -_DROP))
    kept = np.array([after is None for after in dropped_after], np.bool_)
    logs = np.where(kept, np.log(priors + 1e-12) + lead[:, -1], -np.inf)
    cold = np.log(1.0 - priors.sum())
    shares = np.exp(np.append(logs, cold) - max(float(logs.max(initial=-np.inf)), cold))
    shares /= shares.sum()
    return Weights(shares[:-1], float(shares[-1]), dropped_after)


def _first(holds: NDArray[np.bool_]) -> int | None:
    return int(holds.argmax()) if holds.any() else None


def _lead_over_chance(predictions: Floats, scores: Floats) -> Floats:
    """Log-likelihood of the order of the first m trials, less chance's; float64 [s, n + 1]."""
    count = len(scores)
    ahead = np.sign(scores[None, :] - scores[:, None])
    expected = predictions[:, None, :] - predictions[:, :, None]
    agrees = norm.cdf(expected * ahead / _DEVIATION)
    pairs = np.log(_SLIP + (1.0 - 2.0 * _SLIP) * agrees) - np.log(0.5)
    added = (pairs * np.triu(np.ones((count, count)), 1)).sum(axis=1)
    totals = np.cumsum(np.pad(added, ((0, 0), (1, 0))), axis=1)
    # What brings m (m - 1) / 2 pairs to m - 1.
    return np.asarray(totals * 2.0 / np.maximum(np.arange(count + 1), 1))
