"""What is believed of the new search's scores: a Gaussian process around an expected shape."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve
from scipy.stats import norm

from models.oracles.warm.arrays import Floats
from models.oracles.warm.gaussian_process import Process
from models.oracles.warm.kernel import Kernel

_SCALES = np.exp(np.linspace(-1.6, 1.6, 9))
_SCALE_SPREAD = 0.7
"""Standard deviation of the scale's logarithm around what is expected of it."""

_OFFSET_VARIANCE = 100.0

_DEEPEST = 3.0
"""Of the logarithm: all scores 19 gaps below the best count the same. One exploded loss would
otherwise be all that a search sees."""


@dataclass(frozen=True)
class Belief:
    """Score = scale · (shape + offset + deviation), with the deviation a Gaussian process.

    Attributes:
        deviation: after the observations.
        offset: of the whole search against the shape.
        scale: score units for one unit of shape.
        top: best score observed, which all others are measured down from.
        gap: score units in which that is done.
    """

    deviation: Process
    offset: float
    scale: float
    top: float
    gap: float

    def predict(self, features: Floats, shape: Floats) -> tuple[Floats, Floats]:
        """Expected score and standard deviation, below and around the best so far.

        Args:
            features: float64 [m, d].
            shape: expected there, float64 [m].

        Returns:
            Each float64 [m], in score units; the score is that of `compress`.
        """
        mean, spread = self.deviation.predict(features)
        return self.scale * (shape + self.offset + mean), self.scale * spread

    def to_scores(self, compressed: Floats) -> Floats:
        """Takes back what `compress` did, and lets scores above the best so far be what they are.

        Args:
            compressed: float64, of any shape.
        """
        below = self.gap * np.expm1(np.clip(-compressed / self.gap, 0.0, 20.0))
        return np.asarray(self.top - below + np.maximum(compressed, 0.0))


def compress(scores: Floats, gap: float) -> Floats:
    """Scores below the best, on a logarithmic scale: how bad the bad ones are hardly matters.

    Args:
        scores: float64 [n].
        gap: below the best at which the scale bends, above 0.

    Returns:
        float64 [n], at most 0, near the differences themselves where these are below the gap.
    """
    return np.asarray(-gap * np.minimum(np.log1p((scores.max() - scores) / gap), _DEEPEST))


def believe(
    kernel: Kernel, features: Floats, scores: Floats, shape: Floats, gap: float, scale: float
) -> Belief:
    """Conditions on observations, with the likeliest scale and offset.

    Args:
        kernel: of the deviation, in units of shape.
        features: observed, float64 [n, d], n at least 1.
        scores: float64 [n], higher is better.
        shape: expected at the observed, float64 [n].
        gap: for `compress`.
        scale: expected score units for one unit of shape.
    """
    compressed = compress(scores, gap)
    plain = Process.after(kernel, features, np.zeros(len(scores)))
    ones = np.ones(len(scores))
    solved_ones = cho_solve((plain.factor, True), ones)
    best: tuple[float, float, float, Floats] | None = None
    for factor in _SCALES:
        rest = compressed / (factor * scale) - shape
        offset = float(rest @ solved_ones) / (float(ones @ solved_ones) + 1.0 / _OFFSET_VARIANCE)
        rest = rest - offset
        evidence = (
            -0.5 * float(rest @ cho_solve((plain.factor, True), rest))
            - len(scores) * np.log(factor)
            - 0.5 * (np.log(factor) / _SCALE_SPREAD) ** 2
        )
        if best is None or evidence > best[0]:
            best = (float(evidence), float(factor * scale), offset, rest)
    assert best is not None
    _, chosen, offset, rest = best
    deviation = Process.after(kernel, features, rest)
    return Belief(deviation, offset, chosen, float(scores.max()), gap)


def expected_improvement(mean: Floats, spread: Floats, incumbent: float) -> Floats:
    """Jones, Schonlau and Welch (1998), over the best expected score, as scores are noisy."""
    distance = (mean - incumbent) / spread
    return np.asarray(spread * (distance * norm.cdf(distance) + norm.pdf(distance)))
