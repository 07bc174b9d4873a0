"""Multinomial logistic regression with a penalty on the squared norm of the weights."""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.blas_threads import few_threads

_ITERATIONS: Final = 200
_TOLERANCE: Final = 1e-7
_SPARED: Final = 2
"""Features for each image from which on the axes that hold all images are worth their finding."""

Floats = NDArray[np.float32]


class SoftmaxProblem:
    """Mean weighted log loss and a penalty, and its gradient, for SciPy."""

    def __init__(
        self,
        features: Floats,
        classes: NDArray[np.integer],
        class_weights: Floats,
        start: tuple[Floats, Floats] | None,
        *,
        seeks_axes: bool = True,
    ) -> None:
        """Takes what `fit_linear` is given, and whether to seek the axes of few images."""
        self._start = start or (
            np.zeros((features.shape[1], len(class_weights)), np.float32),
            np.zeros(len(class_weights), np.float32),
        )
        self._known = features @ self._start[0] + self._start[1]
        self._axes: Floats | None = None
        if seeks_axes:
            with few_threads(features.size):
                self._axes = _row_space(features)
        self._rows = features if self._axes is None else features @ self._axes
        self._classes = classes
        self._weights = class_weights[classes] / len(classes)
        self._shape = self._rows.shape[1] + 1, len(class_weights)
        self._scale = np.float32(1 / math.sqrt(features.shape[1]))

    def parameters(self, kernel: Floats, bias: Floats) -> NDArray[Any]:
        """What `head` makes this head of, where no axes were sought."""
        learned = (kernel - self._start[0]) / self._scale
        return np.vstack([learned, bias - self._start[1]]).astype(float).ravel()

    @property
    def origin(self) -> NDArray[Any]:
        """The parameters of the head that the penalty draws to."""
        return np.zeros(self._shape).ravel()

    def solve(self, strength: float, start: NDArray[Any]) -> NDArray[Any]:
        """The solution for a strength, in the parameters of the scaled features."""
        with few_threads(self._rows.size):
            found = minimize(
                self._loss,
                start,
                args=(strength,),
                jac=True,
                method="L-BFGS-B",
                options={"maxiter": _ITERATIONS, "ftol": _TOLERANCE},
            )
        return np.asarray(found.x)

    def head(self, solution: NDArray[Any]) -> tuple[Floats, Floats]:
        """Kernel and bias for the features as they are."""
        kernel, bias = self._weights_of(solution)
        if self._axes is not None:
            kernel = self._axes @ kernel
        return self._start[0] + kernel, self._start[1] + bias

    def _weights_of(self, solution: NDArray[Any]) -> tuple[Floats, Floats]:
        """What is learned beyond the start, for the rows of the problem."""
        parameters = solution.reshape(self._shape).astype(np.float32)
        return parameters[:-1] * self._scale, parameters[-1]

    def _loss(self, solution: NDArray[Any], strength: float) -> tuple[float, NDArray[Any]]:
        kernel, bias = self._weights_of(solution)
        rows = np.arange(len(self._classes))
        logits = self._known + self._rows @ kernel + bias
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        total = odds.sum(axis=1)
        losses = np.log(total) - logits[rows, self._classes]
        penalised = solution.reshape(self._shape)[:-1]
        loss = float(self._weights @ losses) + strength / 2 * float((penalised**2).sum())
        residuals = odds / total[:, None]
        residuals[rows, self._classes] -= 1.0
        residuals *= self._weights[:, None]
        gradient = np.empty(self._shape)
        gradient[:-1] = (self._rows.T @ residuals) * self._scale + strength * penalised
        gradient[-1] = residuals.sum(axis=0)
        return loss, gradient.ravel()


def _row_space(features: Floats) -> Floats | None:
    """Orthonormal axes float32 [d, n] that hold all features; None where few would be spared.

    The penalty leaves nothing of a kernel outside of them, and has the same norm along them: the
    same head comes out of a problem of n numbers for each class in the place of d.
    """
    count, dimension = features.shape
    if count * _SPARED > dimension:
        return None
    axes, _ = np.linalg.qr(features.T.astype(np.float64))
    return axes.astype(np.float32)
