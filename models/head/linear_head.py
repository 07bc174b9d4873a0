"""The linear head: multinomial logistic regression on the features, solved to its optimum.

On frozen features it is hard to beat, has one hyperparameter, and no luck in it: no order of
images, no learning rate, no last epoch. The strengths of its penalty are tried from the strongest
down (J. Friedman et al., "Regularization Paths for Generalized Linear Models via Coordinate
Descent", 2010), each starting where the solutions before point to (the predictor of M. Park,
T. Hastie, "L1-regularization path algorithm for generalized linear models", 2007).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.head.evidence import Answers, answers_of, log_loss
from models.head.softmax_problem import Floats, SoftmaxProblem, Start

STRENGTHS: Final = tuple(10.0**power for power in np.arange(-2.0, -6.1, -0.5))
"""Of the penalty on half the squared norm of the weights, for features divided by sqrt(d)."""
DRAWN_STRENGTHS: Final = (*(10.0**power for power in np.arange(0.0, -1.6, -0.5)), *STRENGTHS)
"""Likewise, of a head that is drawn to another: the strongest leave hardly more than that one."""
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
        solutions: kernel and bias at its strength and, where it was tried, at each one beside it.
    """

    kernel: Floats
    bias: Floats
    strength: float
    answers: Answers
    train_loss: float
    validation_loss: float
    solutions: Mapping[float, tuple[Floats, Floats]]


@dataclass(frozen=True)
class Near:
    """Heads of almost the same images, which the solutions are looked for beside.

    Attributes:
        solutions: strength to kernel float32 [d, k], for the standardised features of the new head,
            and bias float32 [k].
        strength: the best one then; one of these.
    """

    solutions: Mapping[float, tuple[Floats, Floats]]
    strength: float


def fit_linear(
    features: Floats,
    classes: NDArray[np.integer],
    validation_features: Floats,
    validation_classes: NDArray[np.integer],
    class_weights: Floats,
    strengths: Sequence[float] = STRENGTHS,
    start: Start | None = None,
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
        start: head that the penalty draws to; None for zero, with a bias that is free.
        near: where to begin, in the place of the strongest penalty: the same solutions are found
            sooner, and others than its strength are tried only as long as they are better.
    """
    # From a near head it takes few steps, and no axes pay.
    problem = SoftmaxProblem(features, classes, class_weights, start, seeks_axes=near is None)

    def judge(solution: NDArray[Any]) -> float:
        kernel, bias = problem.head(solution)
        return log_loss(validation_features @ kernel + bias, validation_classes)

    if near is None or near.strength not in strengths:
        path = _Path(problem, judge, strengths, {})
        path.follow(0, 1, _GIVE_UP)
    else:
        place = strengths.index(near.strength)
        path = _Path(problem, judge, strengths, _by_place(near, strengths, problem))
        path.follow(place, 1, 1)
        path.follow(place - 1, -1, 1)
    kernel, bias = problem.head(path.solutions[path.best])
    return LinearHead(
        kernel=kernel,
        bias=bias,
        strength=strengths[path.best],
        answers=answers_of(validation_features @ kernel + bias, validation_classes),
        train_loss=log_loss(features @ kernel + bias, classes),
        validation_loss=path.loss,
        solutions={
            strengths[place]: problem.head(solution)
            for place, solution in path.solutions.items()
            if abs(place - path.best) <= 1
        },
    )


def _by_place(
    near: Near, strengths: Sequence[float], problem: SoftmaxProblem
) -> dict[int, NDArray[Any]]:
    return {
        strengths.index(strength): problem.parameters(*head)
        for strength, head in near.solutions.items()
        if strength in strengths
    }


def fit_at(
    strength: float,
    features: Floats,
    classes: NDArray[np.integer],
    class_weights: Floats,
    start: Start | None = None,
) -> tuple[Floats, Floats]:
    """Fits one head, with no image to choose by.

    Args:
        strength: of the penalty.
        features: float32 [n, d], standardised.
        classes: int [n].
        class_weights: float32 [k].
        start: as in `fit_linear`.

    Returns:
        kernel float32 [d, k] and bias float32 [k].
    """
    problem = SoftmaxProblem(features, classes, class_weights, start)
    return problem.head(problem.solve(strength, problem.origin))


class _Path:
    """Solutions for one strength of the penalty after another, each begun where it is foretold.

    Attributes:
        solutions: by the place of their strength.
        best: place of that with the least loss.
        loss: of that one.
    """

    def __init__(
        self,
        problem: SoftmaxProblem,
        judge: Callable[[NDArray[Any]], float],
        strengths: Sequence[float],
        earlier: Mapping[int, NDArray[Any]],
    ) -> None:
        """Makes an empty path.

        Args:
            problem: that is solved.
            judge: gives a solution's loss on the validation images.
            strengths: that it is solved for.
            earlier: solutions of almost the same problem, by the place of their strength.
        """
        self._problem = problem
        self._judge = judge
        self._strengths = strengths
        self._earlier = earlier
        self.solutions: dict[int, NDArray[Any]] = {}
        self.best, self.loss = -1, math.inf

    def follow(self, place: int, step: int, patience: int) -> None:
        """Goes on until so many in a row were no better than the best of all.

        Args:
            place: of the first strength.
            step: to the next one, 1 or -1.
            patience: how many.
        """
        worse = 0
        while 0 <= place < len(self._strengths) and worse < patience:
            solution = self._problem.solve(self._strengths[place], self._foretold(place, step))
            self.solutions[place] = solution
            loss = self._judge(solution)
            if self.best < 0 or loss <= self.loss:
                self.best, self.loss, worse = place, loss, 0
            else:
                worse += 1
            place += step

    def _foretold(self, place: int, step: int) -> NDArray[Any]:
        """As far from the solution before as it was earlier, or where those before point to.

        That is on the parabola through three of them, or on what as many as there are tell.
        """
        before = (place - back * step for back in (1, 2, 3))
        known = [self.solutions[at] for at in takewhile(self.solutions.__contains__, before)]
        if not known:
            return self._earlier.get(place, self._problem.origin)
        if place in self._earlier and place - step in self._earlier:
            return known[0] + self._earlier[place] - self._earlier[place - step]
        return np.tensordot(_ONWARD[len(known) - 1], known, 1)
