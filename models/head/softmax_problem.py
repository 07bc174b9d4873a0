"""Multinomial logistic regression with a penalty on the squared norm of the weights."""

import math
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.blas_threads import few_threads
from models.head.preconditioner import Preconditioner
from models.head.principal_axes import Axes, principal_axes
from models.row_threads import EachBlock, each_block

_OPTIONS: Final = {"maxiter": 200, "ftol": 1e-7, "gtol": 0.0}
_AXES: Final = 256
"""Principal axes that the solver goes along."""
_SPARED: Final = 2
"""Features for each image from which on the axes that hold all images are worth their finding."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Start:
    """A head that the penalty draws to.

    Attributes:
        kernel: float32 [d, k].
        bias: float32 [k].
        on_bias: what a step of the bias costs, in steps of the kernel; 0 for nothing.
    """

    kernel: Floats
    bias: Floats
    on_bias: float


class SoftmaxProblem:
    """Mean weighted log loss and a penalty, and its gradient, for SciPy."""

    def __init__(
        self,
        features: Floats,
        classes: NDArray[np.integer],
        class_weights: Floats,
        start: Start | None,
        *,
        seeks_axes: bool = True,
    ) -> None:
        """Takes what `fit_linear` is given, and whether to seek the axes of few images."""
        self._start = start or Start(
            np.zeros((features.shape[1], len(class_weights)), np.float32),
            np.zeros(len(class_weights), np.float32),
            on_bias=0.0,
        )
        self._known = features @ self._start.kernel + self._start.bias
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
        learned = (kernel - self._start.kernel) / self._scale
        return np.vstack([learned, bias - self._start.bias]).astype(float).ravel()

    @property
    def origin(self) -> NDArray[Any]:
        """The parameters of the head that the penalty draws to."""
        return np.zeros(self._shape).ravel()

    def solve(self, strength: float, start: NDArray[Any]) -> NDArray[Any]:
        """The solution for a strength, in the parameters of the scaled features."""
        with each_block(self._rows) as each:
            curvature = self._curvature(start, each)
            on_bias = strength * max(1.0, self._start.on_bias)
            eased = Preconditioner(self._principal, curvature, strength, on_bias)

            def loss(easy: NDArray[Any]) -> tuple[float, NDArray[Any]]:
                parameters = eased.parameters(easy.reshape(self._shape))
                value, gradient = self._loss(parameters, strength, each)
                return value, eased.parameters(gradient).ravel()

            begin = eased.easy(start.reshape(self._shape)).ravel()
            found = minimize(loss, begin, jac=True, method="L-BFGS-B", options=_OPTIONS)
        return eased.parameters(found.x.reshape(self._shape)).ravel()

    @cached_property
    def _principal(self) -> Axes:
        axes = principal_axes(self._rows, _AXES, passes=1)
        return replace(axes, squares=axes.squares * float(self._scale) ** 2)

    def _curvature(self, solution: NDArray[Any], each: EachBlock) -> float:
        """Of the loss along a row of length 1, in the mean of the classes."""
        weights = self._weights_of(solution)

        def of_block(block: slice) -> float:
            _, odds, total = self._odds(*weights, block)
            shares = odds / total[:, None]
            return float(self._weights[block] @ (shares * (1.0 - shares)).mean(axis=1))

        return sum(each(of_block))

    def head(self, solution: NDArray[Any]) -> tuple[Floats, Floats]:
        """Kernel and bias for the features as they are."""
        kernel, bias = self._weights_of(solution)
        if self._axes is not None:
            kernel = self._axes @ kernel
        return self._start.kernel + kernel, self._start.bias + bias

    def _weights_of(self, solution: NDArray[Any]) -> tuple[Floats, Floats]:
        """What is learned beyond the start, for the rows of the problem."""
        parameters = solution.reshape(self._shape).astype(np.float32)
        return parameters[:-1] * self._scale, parameters[-1]

    def _loss(
        self, solution: NDArray[Any], strength: float, each: EachBlock
    ) -> tuple[float, NDArray[Any]]:
        weights = self._weights_of(solution)
        penalised, moved = np.split(solution.reshape(self._shape), [-1])
        on_bias = strength * self._start.on_bias
        loss = strength / 2 * float((penalised**2).sum()) + on_bias / 2 * float((moved**2).sum())
        gradient = np.zeros(self._shape)
        for its_loss, slope, shift in each(partial(self._loss_of, *weights)):
            loss += its_loss
            gradient[:-1] += slope
            gradient[-1] += shift
        gradient[:-1] *= self._scale
        gradient[:-1] += strength * penalised
        gradient[-1] += on_bias * moved[0]
        return loss, gradient

    def _loss_of(self, kernel: Floats, bias: Floats, block: slice) -> tuple[float, Floats, Floats]:
        """Without the penalty, of some rows; and its slope along kernel and bias."""
        classes, weights = self._classes[block], self._weights[block]
        places = np.arange(len(classes))
        logits, odds, total = self._odds(kernel, bias, block)
        losses = np.log(total) - logits[places, classes]
        residuals = odds / total[:, None]
        residuals[places, classes] -= 1.0
        residuals *= weights[:, None]
        return float(weights @ losses), self._rows[block].T @ residuals, residuals.sum(axis=0)

    def _odds(self, kernel: Floats, bias: Floats, block: slice) -> tuple[Floats, Floats, Floats]:
        """Logits of some rows, up to a constant in each; what they are the log of, and its sum."""
        logits = self._known[block] + self._rows[block] @ kernel + bias
        logits -= logits.max(axis=1, keepdims=True)
        odds = np.exp(logits)
        return logits, odds, odds.sum(axis=1)


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
