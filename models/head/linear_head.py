"""The linear head: multinomial logistic regression on the features, solved to its optimum.

On frozen features it is hard to beat, has one hyperparameter, and no luck in it: no order of
images, no learning rate, no last epoch. The strengths of its penalty are tried from the strongest
down (J. Friedman et al., "Regularization Paths for Generalized Linear Models via Coordinate
Descent", 2010), each starting where the solutions before point to (the predictor of M. Park,
T. Hastie, "L1-regularization path algorithm for generalized linear models", 2007).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.head.evidence import Answers, answers_of, log_loss
from models.head.softmax_problem import Floats, SoftmaxProblem

STRENGTHS: Final = tuple(10.0**power for power in np.arange(-2.0, -6.1, -0.5))
"""Of the penalty on half the squared norm of the weights, for features divided by sqrt(d)."""
_GIVE_UP: Final = 2
"""Strengths in a row that were no better, after which weaker ones are not tried."""
_ONWARD: Final = ((1.0,), (2.0, -1.0), (3.0, -3.0, 1.0))
"""Weights of the solutions before, the nearest first, in the one that they foretell."""


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
        strengths: of the penalty, the strongest first, each the same share of the one before.
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

    if near is None or near.strength not in strengths:
        path = _Path(problem, judge, strengths, problem.origin)
        path.follow(0, 1, _GIVE_UP)
    else:
        path = _Path(problem, judge, strengths, problem.parameters(near.kernel, near.bias))
        place = strengths.index(near.strength)
        path.follow(place, 1, 1)
        path.follow(place - 1, -1, 1)
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
    """Solutions for one strength of the penalty after another, each begun where it is foretold.

    Attributes:
        best: the solution with the least loss.
        strength: of that one.
        loss: of that one.
    """

    def __init__(
        self,
        problem: SoftmaxProblem,
        judge: Callable[[NDArray[Any]], float],
        strengths: Sequence[float],
        begin: NDArray[Any],
    ) -> None:
        """Takes what is solved, a solution's validation loss, and where the first is looked for."""
        self._problem = problem
        self._judge = judge
        self._strengths = strengths
        self._solutions: dict[int, NDArray[Any]] = {}
        self.best = begin
        self.strength, self.loss = math.nan, math.inf

    def follow(self, place: int, step: int, patience: int) -> None:
        """Goes on until so many in a row were no better than the best of all.

        Args:
            place: of the first strength.
            step: to the next one, 1 or -1.
            patience: how many.
        """
        worse = 0
        while 0 <= place < len(self._strengths) and worse < patience:
            strength = self._strengths[place]
            solution = self._problem.solve(strength, self._foretold(place, step))
            self._solutions[place] = solution
            loss = self._judge(solution)
            if math.isnan(self.strength) or loss <= self.loss:
                self.best, self.strength, self.loss, worse = solution, strength, loss, 0
            else:
                worse += 1
            place += step

    def _foretold(self, place: int, step: int) -> NDArray[Any]:
        """On the parabola through the three solutions before, or on what those there are tell."""
        before = (place - back * step for back in (1, 2, 3))
        known = [self._solutions[at] for at in takewhile(self._solutions.__contains__, before)]
        return np.tensordot(_ONWARD[len(known) - 1], known, 1) if known else self.best
