"""A head that learns new classes, and to answer about the old ones as the old head does.

Z. Li and D. Hoiem, "Learning without Forgetting", ECCV 2016: of the old classes no image is there,
so the old head labels the new images, softly, and the new head must agree among the old classes.
"""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax

from models.head.earlier_head import EarlierHead
from models.head.head_model import standardised
from models.head.labelled_embeddings import HeadTask

_TEMPERATURE: Final = 2.0
_STRENGTHS: Final = (1e-2, 1e-3, 1e-4)
_ITERATIONS: Final = 200
_TOLERANCE: Final = 1e-7

Floats = NDArray[np.floating]


def distilled_head(
    task: HeadTask, earlier: EarlierHead, old: NDArray[np.bool_], weight: float
) -> Callable[[NDArray[np.float32]], Floats]:
    """Fits the head; its penalty, towards the old head, is the best of three by the same loss.

    Args:
        task: of the new classes' images alone.
        earlier: the old head, for all classes.
        old: whether each class is an old one, bool [k].
        weight: of the agreement, beside the loss of the new labels.

    Returns:
        From embeddings [n, d] to logits [n, k].
    """
    rows, held = (
        standardised(some.embeddings, earlier.mean, earlier.variance)
        for some in (task.train, task.validation)
    )
    scale = np.float32(1 / np.sqrt(rows.shape[1]))
    shape = rows.shape[1] + 1, task.classes
    learned = _Loss(rows, task.train.classes, earlier, old, weight, scale)
    judged = _Loss(held, task.validation.classes, earlier, old, weight, scale)
    solution, best, least = np.zeros(shape).ravel(), np.zeros(shape), np.inf
    for strength in _STRENGTHS:
        solution = minimize(
            learned,
            solution,
            (strength,),
            jac=True,
            method="L-BFGS-B",
            options={"maxiter": _ITERATIONS, "ftol": _TOLERANCE},
        ).x
        loss, _ = judged(solution, 0.0)
        if loss < least:
            least, best = loss, solution.reshape(shape)
    kernel, bias = earlier.kernel + best[:-1] * scale, earlier.bias + best[-1]
    return lambda embeddings: (
        standardised(embeddings, earlier.mean, earlier.variance) @ kernel + bias
    )


class _Loss:
    """Cross-entropy of the labels, of the old head's answers, and the penalty; for SciPy."""

    def __init__(
        self,
        rows: Floats,
        classes: NDArray[np.integer],
        earlier: EarlierHead,
        old: NDArray[np.bool_],
        weight: float,
        scale: np.float32,
    ) -> None:
        self._rows = rows
        self._known = rows @ earlier.kernel + earlier.bias
        self._truth = np.eye(len(old), dtype=np.float32)[classes]
        self._taught = softmax(self._known[:, old] / _TEMPERATURE, axis=1)
        self._old = old
        self._weight = weight
        self._scale = scale

    def __call__(self, solution: NDArray[Any], strength: float) -> tuple[float, NDArray[Any]]:
        weights = solution.reshape(self._rows.shape[1] + 1, len(self._old)).astype(np.float32)
        logits = self._known + self._rows @ (weights[:-1] * self._scale) + weights[-1]
        asked = logits[:, self._old] / _TEMPERATURE
        count = len(logits)
        loss = -(self._truth * log_softmax(logits, axis=1)).sum() / count
        # The squared temperature keeps its gradient as large as the other's.
        share = self._weight * _TEMPERATURE**2 / count
        loss -= share * (self._taught * log_softmax(asked, axis=1)).sum()
        loss += strength / 2 * (weights[:-1] ** 2).sum()
        slopes = (softmax(logits, axis=1) - self._truth) / count
        slopes[:, self._old] += share / _TEMPERATURE * (softmax(asked, axis=1) - self._taught)
        gradient = np.empty(weights.shape)
        gradient[:-1] = self._rows.T @ slopes * self._scale + strength * weights[:-1]
        gradient[-1] = slopes.sum(axis=0)
        return float(loss), gradient.ravel()
