"""The search that starts without a past: Bayesian optimisation on its own trials alone."""

import numpy as np

from models.oracles.warm.arrays import Floats
from models.oracles.warm.belief import Belief, believe, compress, expected_improvement
from models.oracles.warm.candidates import near_points, spread_points
from models.oracles.warm.encoding import SpaceEncoder
from models.oracles.warm.kernel import Kernel, default_kernel, fit_kernel

FIRST = 3
"""Trials before there is a model: the middle of the space, then points spread over it."""

_FEWEST_TO_FIT = 6
_CENTRES = 3

_OPTIMISM = 2.0
"""Standard deviations that a candidate is credited with.

Expected improvement stays near the best trials where scores are as noisy as validation scores are:
in simulated searches for heads on 15 tasks it ends where random search does."""


class ColdSearch:
    """Proposes from the trials that it is shown, and from nothing else.

    After the first trials it proposes the candidate with the highest upper confidence bound
    (GP-UCB, Srinivas et al., ICML 2010).

    The first trial is the middle of every range. Whoever sets ranges puts what they believe in
    around the middle; a random first trial throws that away.
    """

    def __init__(self, encoder: SpaceEncoder, seed: int) -> None:
        """Takes the space.

        Args:
            encoder: of the space.
            seed: of the spread points and of the candidates.
        """
        self._encoder = encoder
        self._seed = seed
        self.spread = spread_points(encoder, seed)
        self._kernels: dict[bytes, Kernel] = {}
        self._rankings: dict[bytes, Floats] = {}

    @property
    def middle(self) -> Floats:
        """The first trial, float64 [p]."""
        return self._encoder.snap(np.full((1, len(self._encoder.parameters)), 0.5))[0]

    def ranking(self, points: Floats, scores: Floats) -> Floats:
        """Candidates for the next trial, the best first.

        Args:
            points: earlier trials, float64 [n, p].
            scores: theirs, float64 [n], higher is better.

        Returns:
            float64 [c, p].
        """
        key = points.tobytes() + scores.tobytes()
        if key not in self._rankings:
            self._rankings[key] = self._rank(points, scores)
        return self._rankings[key]

    def _rank(self, points: Floats, scores: Floats) -> Floats:
        if len(scores) == 0:
            return np.concatenate([self.middle[None], self.spread])
        if len(scores) < FIRST:
            return self.spread[len(scores) :]
        candidates = self.candidates(points, scores)
        belief = self.belief(points, scores)
        features = self._encoder.features(candidates)
        mean, spread = belief.predict(features, np.zeros(len(candidates)))
        promise = mean + _OPTIMISM * spread
        return np.asarray(candidates[np.argsort(-promise, kind="stable")])

    def candidates(self, points: Floats, scores: Floats, more: Floats | None = None) -> Floats:
        """Points all over the space and around the best trials, float64 [c, p]."""
        centres = points[np.argsort(-scores, kind="stable")[:_CENTRES]]
        if more is not None:
            centres = np.concatenate([centres, more])
        near = near_points(self._encoder, centres, (self._seed, len(scores)))
        return np.concatenate([self.spread, near])

    def belief(self, points: Floats, scores: Floats) -> Belief:
        """What these trials alone lead to expect; at least one."""
        gap = own_gap(scores)
        compressed = compress(scores, gap)
        scale = float(compressed.std()) or gap
        features = self._encoder.features(points)
        shape = np.zeros(len(scores))
        return believe(self._kernel(features, scores), features, scores, shape, gap, scale)

    def gain(self, belief: Belief, points: Floats, candidates: Floats) -> Floats:
        """Expected improvement at candidates, float64 [c], in score units."""
        seen = belief.predict(self._encoder.features(points), np.zeros(len(points)))[0]
        mean, spread = belief.predict(self._encoder.features(candidates), np.zeros(len(candidates)))
        return expected_improvement(mean, spread, float(seen.max()))

    def _kernel(self, features: Floats, scores: Floats) -> Kernel:
        """Fitted to the first trials, more of them every now and then: a fit takes a while."""
        if len(scores) < _FEWEST_TO_FIT:
            return default_kernel(features.shape[1])
        count = _FEWEST_TO_FIT
        while (more := int(np.ceil(1.3 * count))) <= len(scores):
            count = more
        known = features[:count], scores[:count]
        key = known[0].tobytes() + known[1].tobytes()
        if key not in self._kernels:
            compressed = compress(known[1], own_gap(known[1]))
            centred = (compressed - compressed.mean()) / (float(compressed.std()) or 1.0)
            self._kernels[key] = fit_kernel([(known[0], centred)], features.shape[1])
        return self._kernels[key]


def own_gap(scores: Floats) -> float:
    """Score from the median to the best of some trials, above 0."""
    best = float(scores.max())
    return max(best - float(np.median(scores)), 1e-4 * abs(best)) or 1.0
