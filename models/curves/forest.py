"""Extremely randomised trees that tell a mean and how far from it values lie.

Geurts, Ernst and Wehenkel, Extremely Randomized Trees, Machine Learning 63, 2006. scikit-learn
grows them; what lies in the leaves is counted here, as it gives no deviations, and its own
predictions of a single row take ten times as long.
"""

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor

from models.curves.learning_curve import Floats

TREES = 50
_FEWEST_IN_LEAF = 5
_COLUMNS_TRIED = 0.3
_LEAST_VARIANCE = 1e-8


class Forest:
    """Predicts several figures of a row at once, some of which were not known in every example."""

    def __init__(self, rows: Floats, figures: Floats, seed: int) -> None:
        """Grows the trees by each example's first figure and its last known one.

        Args:
            rows: of the examples, float64 [n, p].
            figures: of the examples, float64 [n, h]; NaN where unknown, the first always known.
            seed: of the trees.
        """
        known = np.isfinite(figures)
        last = figures.shape[1] - 1 - known[:, ::-1].argmax(axis=1)
        ends = figures[np.arange(len(figures)), last]
        grown = ExtraTreesRegressor(
            TREES,
            min_samples_leaf=_FEWEST_IN_LEAF,
            max_features=_COLUMNS_TRIED,
            random_state=seed,
        ).fit(rows, np.column_stack([figures[:, 0], ends]))
        self._trees = [each.tree_ for each in grown.estimators_]
        counts = [tree.node_count for tree in self._trees]
        self._offsets = np.cumsum([0, *counts[:-1]])
        leaves, size = self._leaves(rows), sum(counts)
        self._mean = np.zeros((size, figures.shape[1]))
        self._variance = np.zeros_like(self._mean)
        for column, (values, is_known) in enumerate(zip(figures.T, known.T, strict=True)):
            places = leaves[is_known].ravel()
            repeated = np.repeat(values[is_known], TREES)
            number = np.bincount(places, minlength=size)
            mean = np.bincount(places, repeated, size) / np.maximum(number, 1)
            square = np.bincount(places, repeated**2, size) / np.maximum(number, 1)
            # Where no example of a leaf tells, the figure before is the best guess.
            tells = number > 0
            self._mean[:, column] = np.where(tells, mean, self._mean[:, column - 1])
            variance = np.maximum(square - mean**2, 0)
            self._variance[:, column] = np.where(tells, variance, self._variance[:, column - 1])

    def predict(self, rows: Floats) -> tuple[Floats, Floats]:
        """Mean and standard deviation of each figure, float64 [n, h] each.

        Args:
            rows: float64 [n, p].
        """
        leaves = self._leaves(rows)
        means = self._mean[leaves]
        variance = self._variance[leaves].mean(axis=1) + means.var(axis=1)
        return means.mean(axis=1), np.sqrt(np.maximum(variance, _LEAST_VARIANCE))

    def _leaves(self, rows: Floats) -> NDArray[np.intp]:
        single = rows.astype(np.float32)
        return np.column_stack([tree.apply(single) for tree in self._trees]) + self._offsets
