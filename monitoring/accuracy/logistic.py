"""Logistic regression with a penalty, by Newton's method: the same to the last bit each time."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]
_STEPS: Final = 50
_NEAR: Final = 1e-8


@dataclass(frozen=True, slots=True, eq=False)
class Logistic:
    """A fitted regression.

    Attributes:
        weights: float64 [f].
        bias: of the logit.
    """

    weights: Floats
    bias: float

    def logits(self, traits: Floats) -> Floats:
        """Logits float64 [m] for traits [m, f]."""
        return traits @ self.weights + self.bias


def fit_logistic(traits: Floats, hits: NDArray[Any], penalty: float) -> Logistic:
    """Finds the weights with the least log loss and half the penalty on their squares.

    Args:
        traits: float64 [n, f], standardised.
        hits: n truths.
        penalty: above 0, so that there is always one solution.
    """
    columns = np.column_stack([traits, np.ones(len(traits))])
    penalties = np.full(columns.shape[1], penalty)
    penalties[-1] = 1e-2
    solution = np.zeros(columns.shape[1])
    for _ in range(_STEPS):
        chances = expit(columns @ solution)
        slope = columns.T @ (chances - hits) + penalties * solution
        bend = (columns * (chances * (1 - chances))[:, None]).T @ columns + np.diag(penalties)
        step = np.linalg.solve(bend, slope)
        # Far from the solution a whole step may overshoot.
        solution -= step / max(1.0, float(np.abs(step).max()) / 2)
        if np.abs(step).max() < _NEAR:
            break
    return Logistic(solution[:-1], float(solution[-1]))
