"""A Gaussian process with a given kernel: what is believed of a search after some trials."""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import cho_solve, cholesky, solve_triangular

from models.oracles.warm.arrays import Floats
from models.oracles.warm.kernel import Kernel

_JITTER = 1e-8


@dataclass(frozen=True)
class Process:
    """The posterior after observations.

    Attributes:
        kernel: of the prior; its mean is 0.
        points: observed, float64 [n, d].
        factor: lower Cholesky factor of the observations' covariance, float64 [n, n].
        weights: covariance inverse times the observations, float64 [n].
    """

    kernel: Kernel
    points: Floats
    factor: Floats
    weights: Floats

    @classmethod
    def after(cls, kernel: Kernel, points: Floats, values: Floats) -> "Process":
        """Conditions the prior on values [n] at points [n, d]."""
        covariance = kernel(points, points) + (kernel.noise + _JITTER) * np.eye(len(points))
        factor = cholesky(covariance, lower=True)
        return cls(kernel, points, factor, cho_solve((factor, True), values))

    def mean(self, points: Floats) -> Floats:
        """Expected value of the function at points [m, d], float64 [m]."""
        return np.asarray(self.kernel(points, self.points) @ self.weights)

    def predict(self, points: Floats) -> tuple[Floats, Floats]:
        """Expected value and standard deviation of the function at points [m, d], each [m]."""
        cross = self.kernel(points, self.points)
        half = solve_triangular(self.factor, cross.T, lower=True)
        variance = self.kernel.amplitude - (half**2).sum(axis=0)
        return cross @ self.weights, np.sqrt(np.maximum(variance, 1e-12))

    def leave_one_out(self) -> Floats:
        """What each observation is expected to be by the others, float64 [n].

        Rasmussen and Williams (2006), equation 5.12.
        """
        inverse = cho_solve((self.factor, True), np.eye(len(self.weights)))
        observed = self.factor @ (self.factor.T @ self.weights)
        return np.asarray(observed - self.weights / np.diag(inverse))
