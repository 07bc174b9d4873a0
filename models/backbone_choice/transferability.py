"""LogME: how well frozen features suit labels, without training anything.

K. You, Y. Liu, J. Wang, M. Long: LogME: Practical Assessment of Pre-trained Models for Transfer
Learning (ICML 2021, arXiv:2102.11005); by the fixed point of K. You, Y. Liu, Z. Zhang, J. Wang,
M. Jordan, M. Long: Ranking and Tuning Pre-trained Models (JMLR 23, 2022).

For each class the membership y in {0, 1} is modelled as a Bayesian linear regression on the
features, y ~ N(Fw, 1/β) with w ~ N(0, 1/α); its evidence p(y | F) is maximised over α and β. The
score is the mean of log p(y | F) / n over the classes. Evidence punishes a model that could
explain anything, so it needs no validation images.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

_MOST_ROUNDS: Final = 500
_CONVERGED: Final = 1e-7
"""Largest relative change of λ in a round that ends the iteration."""
_BOUND: Final = 1e12
"""λ stays within this factor of the largest eigenvalue: where the best w is 0 it has no limit."""
_LEAST_VARIANCE: Final = 1e-12
"""Of what the regression leaves, a class: labels that are explained exactly have no likelihood."""


def log_maximum_evidence(features: NDArray[np.floating], labels: NDArray[np.generic]) -> float:
    """Scores frozen features by LogME.

    The features are taken as they are: neither centred nor scaled. A rotation of them leaves the
    score as it is, and so does one factor common to all.

    Args:
        features: [n, d], n < d and d < n alike; computed in float64.
        labels: [n], anything that can be compared; at least two different ones.

    Returns:
        Mean over the classes of the maximal log evidence of an image, in nats; higher is better.
        Comparable between features of the same images and labels.

    Raises:
        ValueError: shapes that do not fit, fewer than two classes, or values that are not finite.
    """
    matrix = np.asarray(features, np.float64)
    if matrix.ndim != 2 or len(matrix) != len(labels):
        raise ValueError(f"features {matrix.shape} do not fit {len(labels)} labels")
    if not np.isfinite(matrix).all():
        raise ValueError("features hold values that are not finite")
    classes, positions = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise ValueError("LogME needs at least two classes")
    targets = np.eye(len(classes))[positions]
    left, singular, _ = np.linalg.svd(matrix, full_matrices=False)
    explained = (left.T @ targets) ** 2
    # What lies outside the span of the features is noise whatever w is.
    outside = np.maximum((targets**2).sum(axis=0) - explained.sum(axis=0), 0.0)
    return float(_log_evidence(singular**2, explained, outside, len(matrix)).mean()) / len(matrix)


def _log_evidence(
    eigenvalues: NDArray[np.float64],
    explained: NDArray[np.float64],
    outside: NDArray[np.float64],
    count: int,
) -> NDArray[np.float64]:
    """Maximal log evidence of each class.

    Everything is a function of λ = α / β alone; at the maximum over β, β = n / (ε + λ m), with
    the squared error ε and the squared norm m of the regression's weights.

    Args:
        eigenvalues: of FFᵀ, [k].
        explained: squared components of the targets along its eigenvectors, [k, c].
        outside: squared norm of the rest of the targets, [c].
        count: n.

    Returns:
        [c].
    """
    ratio = _fixed_point(eigenvalues, explained, outside, count)
    error, norm = _fit(eigenvalues, explained, outside, ratio)
    precision = count / np.maximum(error + ratio * norm, _LEAST_VARIANCE)
    determinant = np.log1p(eigenvalues[:, None] / ratio).sum(axis=0)
    return 0.5 * (count * (np.log(precision / (2 * np.pi)) - 1) - determinant)


def _fixed_point(
    eigenvalues: NDArray[np.float64],
    explained: NDArray[np.float64],
    outside: NDArray[np.float64],
    count: int,
) -> NDArray[np.float64]:
    """λ of the maximal evidence, [c]: γ ε / ((n - γ) m), with γ the effective number of weights."""
    scale = float(eigenvalues.max(initial=0.0)) or 1.0
    ratio = np.full(len(outside), scale)
    for _ in range(_MOST_ROUNDS):
        error, norm = _fit(eigenvalues, explained, outside, ratio)
        shrinkage = eigenvalues[:, None] / (eigenvalues[:, None] + ratio)
        # n - γ as a sum of positive terms: the difference would cancel where λ is small.
        rest = count - len(eigenvalues) + (1 - shrinkage).sum(axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            proposed = shrinkage.sum(axis=0) * error / (rest * norm)
        proposed = np.nan_to_num(proposed, nan=scale, posinf=scale * _BOUND)
        proposed = np.clip(proposed, scale / _BOUND, scale * _BOUND)
        change = np.abs(np.log(proposed / ratio)).max()
        ratio = proposed
        if change < _CONVERGED:
            break
    return ratio


def _fit(
    eigenvalues: NDArray[np.float64],
    explained: NDArray[np.float64],
    outside: NDArray[np.float64],
    ratio: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Squared error and squared norm of the weights of the ridge regressions, [c] each."""
    damped = eigenvalues[:, None] + ratio
    error = ((ratio / damped) ** 2 * explained).sum(axis=0) + outside
    norm = (eigenvalues[:, None] / damped**2 * explained).sum(axis=0)
    return error, norm
