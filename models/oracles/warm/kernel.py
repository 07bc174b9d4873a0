"""The Matérn kernel and the fit of its hyperparameters, to one search or to many at once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import LinAlgError, cho_solve, cholesky
from scipy.optimize import minimize

from models.oracles.warm.arrays import Floats

_JITTER = 1e-8
_MOST_STEPS = 30
_LENGTH = 0.6
_LENGTH_SPREAD = 0.8
_AMPLITUDE_PRIOR = (0.0, 1.0)
_NOISE_PRIOR = (np.log(0.1), 1.2)


@dataclass(frozen=True)
class Kernel:
    """Matérn 5/2 with a length scale for each dimension, and the noise of observations.

    Attributes:
        lengths: length scales, float64 [d].
        amplitude: variance of the function.
        noise: variance of an observation around it.
    """

    lengths: Floats
    amplitude: float
    noise: float

    def __call__(self, first: Floats, second: Floats) -> Floats:
        """Covariance of the function at points [n, d] and [m, d], float64 [n, m]."""
        return self.amplitude * _matern(_distances(first / self.lengths, second / self.lengths))

    def scaled(self, factor: float) -> "Kernel":
        """The same kernel with the function's variance multiplied."""
        return Kernel(self.lengths, self.amplitude * factor, self.noise)


def default_kernel(dimension: int, length: float = _LENGTH) -> Kernel:
    """What is assumed of scores of unit variance before any is known."""
    return Kernel(np.full(dimension, length), np.exp(_AMPLITUDE_PRIOR[0]), np.exp(_NOISE_PRIOR[0]))


def fit_kernel(
    searches: Sequence[tuple[Floats, Floats]], dimension: int, length: float = _LENGTH
) -> Kernel:
    """Finds the one kernel under which the observations of several searches are likeliest.

    Each search is an independent draw from the same Gaussian process: the pre-trained prior of
    Wang et al., Pre-trained Gaussian Processes for Bayesian Optimization (HyperBO, 2021). Priors
    on the logarithms keep the fit sensible with a handful of observations.

    Args:
        searches: points [n, d] and centred scores [n] of each.
        dimension: d.
        length: scale that is expected of every dimension before.

    Returns:
        The kernel of greatest posterior density.
    """
    start = default_kernel(dimension, length)
    theta = np.log(np.concatenate([start.lengths, [start.amplitude, start.noise]]))
    if not searches:
        return start
    found = minimize(
        _negative_log_posterior,
        theta,
        args=(searches, np.log(length)),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-4.0, 4.0)] * dimension + [(-4.0, 4.0), (-9.0, 2.0)],
        options={"maxiter": _MOST_STEPS},
    )
    return _kernel(found.x)


def _kernel(theta: Floats) -> Kernel:
    return Kernel(np.exp(theta[:-2]), float(np.exp(theta[-2])), float(np.exp(theta[-1])))


def _negative_log_posterior(
    theta: Floats, searches: Sequence[tuple[Floats, Floats]], length: float
) -> tuple[float, Floats]:
    scales = len(theta) - 2
    means = np.array([length] * scales + [_AMPLITUDE_PRIOR[0], _NOISE_PRIOR[0]])
    spreads = np.array([_LENGTH_SPREAD] * scales + [_AMPLITUDE_PRIOR[1], _NOISE_PRIOR[1]])
    value = 0.5 * float((((theta - means) / spreads) ** 2).sum())
    slope = (theta - means) / spreads**2
    for points, scores in searches:
        loss, gradient = _negative_log_likelihood(theta, points, scores)
        value += loss
        slope = slope + gradient
    return value, slope


def _negative_log_likelihood(theta: Floats, points: Floats, scores: Floats) -> tuple[float, Floats]:
    """Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), section 5.4.1."""
    kernel = _kernel(theta)
    scaled = points / kernel.lengths
    distances = _distances(scaled, scaled)
    smooth = kernel.amplitude * _matern(distances)
    count = len(scores)
    covariance = smooth + (kernel.noise + _JITTER) * np.eye(count)
    try:
        factor = cholesky(covariance, lower=True)
    except LinAlgError:
        return 1e10, np.zeros_like(theta)
    weights = cho_solve((factor, True), scores)
    value = 0.5 * scores @ weights + np.log(np.diag(factor)).sum()
    outer = np.outer(weights, weights) - cho_solve((factor, True), np.eye(count))
    gradient = np.empty_like(theta)
    common = outer * _matern_slope(distances) * kernel.amplitude
    for column in range(points.shape[1]):
        difference = scaled[:, None, column] - scaled[None, :, column]
        gradient[column] = -0.5 * float((common * difference**2).sum())
    gradient[-2] = -0.5 * float((outer * smooth).sum())
    gradient[-1] = -0.5 * kernel.noise * float(np.trace(outer))
    return float(value), gradient


def _distances(first: Floats, second: Floats) -> Floats:
    squares = (
        (first**2).sum(axis=1)[:, None] + (second**2).sum(axis=1)[None, :] - 2 * first @ second.T
    )
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def _matern(distances: Floats) -> Floats:
    scaled = np.sqrt(5.0) * distances
    return np.asarray((1.0 + scaled + scaled**2 / 3.0) * np.exp(-scaled))


def _matern_slope(distances: Floats) -> Floats:
    """Derivative by the logarithm of a length scale, over that dimension's squared difference."""
    scaled = np.sqrt(5.0) * distances
    return np.asarray(5.0 / 3.0 * (1.0 + scaled) * np.exp(-scaled))
