"""What is believed of a search's scores: a Gaussian process around an expected shape."""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from models.oracles.warm.encoding import Floats

_KERNEL = ConstantKernel(1.0, (0.1, 10.0)) * Matern(0.6, (0.1, 10.0), nu=2.5)
_NOISE = WhiteKernel(0.1, (1e-4, 1.0))

_FEWEST_TO_FIT = 6
"""Trials before the kernel is fitted. One length serves all parameters: a length for each brings
nothing with as few trials as a search of whole trainings has (`benchmarks/search/RESULTS.md`)."""

_DEEPEST = 3.0
"""Of the logarithm: all scores 19 gaps below the best count the same. One exploded loss would
otherwise be all that a search sees."""


@dataclass(frozen=True)
class Belief:
    """Score = scale · (shape + offset + deviation), with the deviation a Gaussian process.

    Attributes:
        process: of the deviation, after the trials.
        offset: of the whole search against the shape.
        scale: score units for one unit of shape.
    """

    process: GaussianProcessRegressor
    offset: float
    scale: float

    @classmethod
    def after(cls, features: Floats, scores: Floats, shape: Floats) -> "Belief":
        """Learns from trials.

        Args:
            features: of the trials, float64 [n, d], n at least 1.
            scores: theirs, float64 [n], higher is better.
            shape: expected of them, float64 [n]; zeros where nothing is.
        """
        top = float(scores.max())
        gap = max(top - float(np.median(scores)), 1e-4 * abs(top)) or 1.0
        # How bad the bad ones are hardly matters.
        seen = -gap * np.minimum(np.log1p((top - scores) / gap), _DEEPEST)
        usual = float(seen.std()) or gap
        centred = shape - shape.mean()
        slope = (float(seen @ centred) + usual) / (float(centred @ centred) + 1.0)
        scale = max(slope, usual / 3.0)
        rest = seen / scale - shape
        optimizer = "fmin_l_bfgs_b" if len(scores) >= _FEWEST_TO_FIT else None
        process = GaussianProcessRegressor(_KERNEL + _NOISE, optimizer=optimizer)
        with warnings.catch_warnings():
            # That a figure lies at its bound.
            warnings.simplefilter("ignore", ConvergenceWarning)
            process.fit(features, rest - rest.mean())
        return cls(process, float(rest.mean()), scale)

    def predict(self, features: Floats, shape: Floats) -> tuple[Floats, Floats]:
        """Expected score and its standard deviation, counted from the best score seen.

        Args:
            features: float64 [m, d].
            shape: expected there, float64 [m].

        Returns:
            Each float64 [m]; below the best, the score is on a logarithmic scale.
        """
        mean, spread = self.process.predict(features, return_std=True)
        variance = spread**2 - self.process.kernel_.k2.noise_level
        known = self.scale * np.sqrt(np.maximum(variance, 1e-12))
        return self.scale * (shape + self.offset + mean), known
