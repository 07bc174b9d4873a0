"""The linear head: multinomial logistic regression on the features, solved to its optimum.

On frozen features it is hard to beat, has one hyperparameter, and no luck in it: no order of
images, no learning rate, no last epoch. The strengths of its penalty are tried from the strongest
down, each starting at the solution before (J. Friedman et al., "Regularization Paths for
Generalized Linear Models via Coordinate Descent", 2010).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from models.blas_threads import few_threads
from models.head.evidence import Answers, answers_of, log_loss

STRENGTHS: Final = tuple(10.0**power for power in np.arange(-2.0, -6.1, -0.5))
"""Of the penalty on half the squared norm of the weights, for features divided by sqrt(d)."""
_ITERATIONS: Final = 200
_TOLERANCE: Final = 1e-7
_SPARED: Final = 2
"""Features for each image from which on the axes that hold all images are worth their finding."""
_GIVE_UP: Final = 2
"""Strengths in a row that were no better, after which weaker ones are not tried."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class LinearHead:
    """The best of the path.

    Attributes:
        kernel: float32 [d, k].
        bias: float32 [k].
        strength: of its penalty.
        answers: to the validation images.
        train_loss: mean log loss of the training images, in nats.
        validation_loss: mean log loss of the validation images, in nats, as it is.
    """

    kernel: Floats
    bias: Floats
    strength: float
    answers: Answers
    train_loss: float
    validation_loss: float


@dataclass(frozen=True)
class Near:
    """A head of almost the same images, which the solution is looked for beside.

    Attributes:
        kernel: float32 [d, k], for the standardised features of the new head.
        bias: float32 [k].
        strength: of its penalty, the best one then.
    """

    kernel: Floats
    bias: Floats
    strength: float


def fit_linear(
    features: Floats,
    classes: NDArray[np.integer],
    validation_features: Floats,
    validation_classes: NDArray[np.integer],
    class_weights: Floats,
    strengths: Sequence[float] = STRENGTHS,
    start: tuple[Floats, Floats] | None = None,
    near: Near | None = None,
) -> LinearHead:
    """Fits the path, and takes the head with the least log loss on the validation images.

    Not the one that promises most at its best temperature: it answers as it is.

    Args:
        features: float32 [n, d], standardised.
        classes: int [n].
        validation_features: float32 [m, d], standardised alike.
        validation_classes: int [m].
        class_weights: float32 [k].
        strengths: of the penalty, the strongest first.
        start: kernel float32 [d, k] and bias float32 [k] that the penalty draws to; None for zero.
        near: where to begin, in the place of the strongest penalty: the same solutions are found
            sooner, and others than its strength are tried only as long as they are better.
    """
    # From a near head or towards an earlier one it takes few steps, and no axes pay.
    seeks_axes = near is None and start is None
    problem = _Problem(features, classes, class_weights, start, seeks_axes=seeks_axes)

    def judge(solution: NDArray[Any]) -> float:
        kernel, bias = problem.head(solution)
        return log_loss(validation_features @ kernel + bias, validation_classes)

    path = _Path(problem, judge)
    if near is None or near.strength not in strengths:
        path.follow(strengths, problem.origin, _GIVE_UP)
    else:
        place = strengths.index(near.strength)
        path.follow(strengths[place:], problem.parameters(near.kernel, near.bias), 1)
        path.follow(strengths[:place][::-1], path.first, 1)
    kernel, bias = problem.head(path.best)
    return LinearHead(
        kernel=kernel,
        bias=bias,
        strength=path.strength,
        answers=answers_of(validation_features @ kernel + bias, validation_classes),
        train_loss=log_loss(features @ kernel + bias, classes),
        validation_loss=path.loss,
    )


def fit_at(
    strength: float, features: Floats, classes: NDArray[np.integer], class_weights: Floats
) -> tuple[Floats, Floats]:
    """Fits one head, with no image to choose by.

    Args:
        strength: of the penalty.
        features: float32 [n, d], standardised.
        classes: int [n].
        class_weights: float32 [k].

    Returns:
        kernel float32 [d, k] and bias float32 [k].
    """
    problem = _Problem(features, classes, class_weights, None)
    return problem.head(problem.solve(strength, problem.origin))


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


class _Path:
    """Solutions for one strength of the penalty after another, each begun at the one before.

    Attributes:
        first: the first solution.
        best: that with the least loss.
        strength: of that one.
        loss: of that one.
    """

    def __init__(self, problem: "_Problem", judge: Callable[[NDArray[Any]], float]) -> None:
        """Takes what is solved, and the loss of a solution on the validation images."""
        self._problem = problem
        self._judge = judge
        self.first = self.best = problem.origin
        self.strength, self.loss = math.nan, math.inf

    def follow(self, strengths: Sequence[float], begin: NDArray[Any], patience: int) -> None:
        """Goes on until so many in a row were no better than the best of all."""
        solution, worse = begin, 0
        for strength in strengths:
            solution = self._problem.solve(strength, solution)
            loss = self._judge(solution)
            if math.isnan(self.strength):
                self.first = solution
            if math.isnan(self.strength) or loss <= self.loss:
                self.best, self.strength, self.loss, worse = solution, strength, loss, 0
                continue
            worse += 1
            if worse == patience:
                return


class _Problem:
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
