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

from models.head.evidence import Answers, answers_of, log_loss
from models.head.softmax_problem import Floats, SoftmaxProblem

STRENGTHS: Final = tuple(10.0**power for power in np.arange(-2.0, -6.1, -0.5))
"""Of the penalty on half the squared norm of the weights, for features divided by sqrt(d)."""
_GIVE_UP: Final = 2
"""Strengths in a row that were no better, after which weaker ones are not tried."""


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
    problem = SoftmaxProblem(features, classes, class_weights, start, seeks_axes=seeks_axes)

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
    problem = SoftmaxProblem(features, classes, class_weights, None)
    return problem.head(problem.solve(strength, problem.origin))


class _Path:
    """Solutions for one strength of the penalty after another, each begun at the one before.

    Attributes:
        first: the first solution.
        best: that with the least loss.
        strength: of that one.
        loss: of that one.
    """

    def __init__(self, problem: SoftmaxProblem, judge: Callable[[NDArray[Any]], float]) -> None:
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
