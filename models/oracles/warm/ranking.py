"""Which configuration is to be tried next."""

from collections.abc import Callable

import numpy as np

from models.oracles.warm.belief import Belief
from models.oracles.warm.candidates import near_points, spread_points
from models.oracles.warm.encoding import Floats, SpaceEncoder

_FIRST = 3
"""Trials before there is a model of a cold search: the middle, then points all over the space."""

_CENTRES = 3

_OPTIMISM = 2.0
"""Standard deviations that a candidate is credited with.

Expected improvement stays near the best trials where scores are as noisy as validation scores are:
in simulated searches for heads on 15 tasks it ends where random search does."""

Expectation = Callable[[Floats], Floats]
"""Features [m, d] to what the past expects there [m], in normal scores."""


class Ranking:
    """Ranks candidates by their upper confidence bound (GP-UCB, Srinivas et al., ICML 2010).

    The first trial of a cold search is the middle of every range. Whoever sets ranges puts what
    they believe in around the middle; a random first trial throws that away.
    """

    def __init__(self, encoder: SpaceEncoder, seed: int) -> None:
        """Takes the space.

        Args:
            encoder: of the space.
            seed: of the points spread over it and of the candidates.
        """
        self._encoder = encoder
        self._seed = seed
        self._spread = spread_points(encoder, seed)
        self._cold: dict[bytes, Floats] = {}

    def cold(self, points: Floats, scores: Floats) -> Floats:
        """Candidates, the best first, by the search's own trials alone.

        Args:
            points: earlier trials, float64 [n, p].
            scores: theirs, float64 [n], higher is better.

        Returns:
            float64 [c, p].
        """
        if len(scores) < _FIRST:
            middle = self._encoder.snap(np.full((1, len(self._encoder.parameters)), 0.5))
            return np.concatenate([middle, self._spread])[len(scores) :]
        # The search is replayed from its start at each of its turns.
        key = points.tobytes() + scores.tobytes()
        if key not in self._cold:
            self._cold[key] = self.warm(points, scores, nothing, points[:0])
        return self._cold[key]

    def warm(self, points: Floats, scores: Floats, expected: Expectation, known: Floats) -> Floats:
        """Candidates, the best first, by the trials and what the past expects.

        Args:
            points: earlier trials, float64 [n, p].
            scores: theirs, float64 [n], higher is better.
            expected: by the past.
            known: points that did well in the past, float64 [k, p]; NaN where they have no value.

        Returns:
            float64 [c, p].
        """
        best = self._encoder.snap(np.where(np.isnan(known), 0.5, known))
        centres = np.concatenate([points[np.argsort(-scores, kind="stable")[:_CENTRES]], best])
        near = near_points(self._encoder, centres, (self._seed, len(scores)))
        candidates = np.concatenate([best, self._spread, near])
        features = self._encoder.features(candidates)
        promise = expected(features)
        if len(scores):
            belief = self.belief(points, scores, expected)
            mean, spread = belief.predict(features, promise)
            promise = mean + _OPTIMISM * spread
        return np.asarray(candidates[np.argsort(-promise, kind="stable")])

    def belief(self, points: Floats, scores: Floats, expected: Expectation) -> Belief:
        """What trials, one at least, and the past lead to expect."""
        features = self._encoder.features(points)
        return Belief.after(features, scores, expected(features))


def nothing(features: Floats) -> Floats:
    """What is expected without a past: zeros, float64 [m]."""
    return np.zeros(len(features))
