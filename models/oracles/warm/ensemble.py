"""How much each earlier search is listened to, from how it ranks the new search's own trials."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from models.oracles.warm.arrays import Floats
from models.oracles.warm.kernel import Kernel

COLD_PRIOR = 0.1
"""Weight of the cold search before the first trial."""

DOUBTFUL_PRIOR = 0.9
"""The same where the past looks wrong before any trial: it then has to prove itself."""

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


def weigh(
    priors: Floats, predictions: Floats, scores: Floats, residual: Kernel, trials: int
) -> Weights:
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
        residual: how a task differs from what sources expect.
        trials: how many of the trials to take, from the first.
    """
    likelihood = _log_likelihoods(predictions, scores, residual)
    lead = likelihood - _chance(len(scores))
    dropped_after = tuple(_dropped_after(line[: trials + 1]) for line in lead)
    kept = np.array([after is None for after in dropped_after], bool)
    logs = np.log(priors + 1e-12) + lead[:, trials]
    logs = np.where(kept, logs, -np.inf)
    cold = np.log(1.0 - priors.sum())
    top = max(float(logs.max(initial=-np.inf)), cold)
    shares = np.exp(logs - top)
    total = float(shares.sum()) + float(np.exp(cold - top))
    return Weights(shares / total, float(np.exp(cold - top)) / total, dropped_after)


def _log_likelihoods(predictions: Floats, scores: Floats, residual: Kernel) -> Floats:
    """Of the order of the first m trials, float64 [s, n + 1], for m from 0 to n."""
    count = len(scores)
    ahead = np.sign(scores[None, :] - scores[:, None])
    expected = predictions[:, None, :] - predictions[:, :, None]
    deviation = np.sqrt(2.0 * (residual.amplitude + residual.noise))
    agrees = norm.cdf(expected * ahead / deviation)
    pairs = np.log(_SLIP + (1.0 - 2.0 * _SLIP) * agrees)
    earlier = np.triu(np.ones((count, count)), 1)
    added = (pairs * earlier).sum(axis=1)
    totals = np.concatenate([np.zeros((len(predictions), 1)), np.cumsum(added, axis=1)], axis=1)
    return np.asarray(totals * _discount(count))


def _chance(count: int) -> Floats:
    trials = np.arange(count + 1)
    return np.asarray(np.log(0.5) * trials * (trials - 1) / 2.0 * _discount(count))


def _discount(count: int) -> Floats:
    """What brings m (m - 1) / 2 pairs to m - 1."""
    return 2.0 / np.maximum(np.arange(count + 1), 1)


def _dropped_after(lead: Floats) -> int | None:
    behind = np.flatnonzero(lead < -_DROP)
    return int(behind[0]) if len(behind) else None


def combine(weights: Floats, predictions: Sequence[Floats]) -> Floats:
    """The sources' common expectation: their weighted mean, as if the cold search were not."""
    total = float(weights.sum())
    if total <= 0.0:
        return np.zeros_like(predictions[0])
    return np.asarray(np.tensordot(weights / total, np.asarray(predictions), axes=1))
