"""What a set of images as a whole tells beyond its images one by one."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from monitoring.accuracy.logistic import Logistic, fit_logistic

Floats = NDArray[np.float64]
_DIRECTIONS: Final = 10
_LEAST: Final = 8
"""Images that a set needs."""
_TOGETHER: Final = 24
"""Images that make a set, if there are so many."""
_FOLDS: Final = 5
_FEW: Final = 3
"""Sets below which nothing can be learned from them."""
_USUAL_REACH: Final = 0.35
"""Length of the kernel then, in standard deviations of a trait."""
_REACHES: Final = (0.5, 0.8, 1.2, 2.0)
"""Tried lengths of the kernel, in median distances between sets."""
_SPREADS: Final = (0.06, 0.08, 0.11, 0.15, 0.2)
"""Tried standard deviations of what is left; none so small that nothing would look unlike."""
_FAR: Final = 0.15
"""Standard error more where a set is like no other."""
_USUAL_REST: Final = 0.1
"""Standard deviation of what is left where there is nothing to learn it from."""


class ChangedSets:
    """A Gaussian process over sets: mean traits to what a regression leaves of the accuracy."""

    def __init__(
        self,
        traits: Floats,
        hits: NDArray[Any],
        sets: NDArray[np.integer],
        regression: Logistic,
        penalty: float,
    ) -> None:
        """Learns from images that came in sets.

        Args:
            traits: float64 [n, f], standardised.
            hits: n truths.
            sets: int [n], the set of each image; -1 for those that are not changed.
            regression: fitted to all of them.
            penalty: that it was fitted with.
        """
        numbers, counts = np.unique(sets, return_counts=True)
        numbers, counts = numbers[counts >= _LEAST], counts[counts >= _LEAST]
        chances = expit(regression.logits(traits))
        left = _left_out(traits, hits, sets, regression, penalty)
        members = [sets == number for number in numbers]
        means = np.array([traits[rows].mean(axis=0) for rows in members])
        self._centre = means[0]
        self._axes = _axes(means - self._centre, counts)
        self._places = (means - self._centre) @ self._axes
        # How far off the regression is on a set that it has not seen says how large the rest is.
        self._rests = np.array([(hits[rows] - left[rows]).mean() for rows in members])
        noises = np.array([max((left * (1 - left))[rows].mean(), 0.01) for rows in members])
        self._noises = noises / counts
        self._spread, self._reach = self._best()
        matrix = self._kernel(self._places) + np.diag(self._noises)
        self._inverse = np.linalg.inv(matrix)
        self._rests = np.array([(hits[rows] - chances[rows]).mean() for rows in members])

    def rest(self, mean_traits: Floats) -> tuple[float, float, float]:
        """What to add to the accuracy of a set, the standard error of that, and its novelty.

        The novelty is 0 where the set is one that was learned from and 1 where it is far from all.
        The further it is, the less can the others tell how far off one may be.
        """
        near = self._kernel((mean_traits - self._centre)[None] @ self._axes)[0]
        spread = float(np.sqrt(max(self._spread**2 - near @ self._inverse @ near, 0.0)))
        novelty = spread / self._spread
        error = float(np.hypot(spread, _FAR * novelty**4))
        return float(near @ self._inverse @ self._rests), error, novelty

    def _best(self) -> tuple[float, float]:
        """Size and length of the kernel with the greatest likelihood."""
        if len(self._places) < _FEW:
            return _USUAL_REST, _USUAL_REACH * self._axes.shape[1] ** 0.5
        gaps = self._places[:, None] - self._places[None]
        usual = float(np.median(np.sqrt((gaps**2).sum(axis=2))[np.triu_indices(len(gaps), 1)]))
        tried = [(spread, reach * usual) for spread in _SPREADS for reach in _REACHES]
        return max(tried, key=lambda pair: self._likelihood(*pair))

    def _likelihood(self, spread: float, reach: float) -> float:
        self._spread, self._reach = spread, reach
        matrix = self._kernel(self._places) + np.diag(self._noises)
        _, size = np.linalg.slogdet(matrix)
        return -float(self._rests @ np.linalg.solve(matrix, self._rests)) - float(size)

    def _kernel(self, places: Floats) -> Floats:
        gaps = ((places[:, None] - self._places[None]) ** 2).sum(axis=2)
        return np.asarray(self._spread**2 * np.exp(-gaps / (2 * self._reach**2)))


def _axes(gaps: Floats, counts: NDArray[np.integer]) -> Floats:
    """Directions float64 [f, c] in which sets differ; all where there is next to no set."""
    if len(gaps) < _FEW:
        return np.eye(gaps.shape[1])
    weighted = gaps * np.sqrt(counts)[:, None]
    return np.asarray(np.linalg.svd(weighted, full_matrices=False)[2][:_DIRECTIONS].T)


def sets_by_strength(
    changes: NDArray[np.integer], strengths: NDArray[np.floating]
) -> NDArray[np.int64]:
    """The set of each image, int64 [n] from 0: of one change, and of nearly the same strength."""
    sets = np.empty(len(changes), np.int64)
    first = 0
    for change in np.unique(changes):
        rows = np.flatnonzero(changes == change)
        rows = rows[np.argsort(strengths[rows], kind="stable")]
        count = max(1, round(len(rows) / _TOGETHER))
        sets[rows] = first + np.arange(len(rows)) * count // len(rows)
        first += count
    return sets


def mean_of_sets(traits: Floats, sets: NDArray[np.integer]) -> Floats:
    """The mean of its set beside each image, float64 [n, f]."""
    _, places, counts = np.unique(sets, return_inverse=True, return_counts=True)
    sums = np.zeros((len(counts), traits.shape[1]))
    np.add.at(sums, places, traits)
    return np.asarray((sums / counts[:, None])[places])


def _left_out(
    traits: Floats,
    hits: NDArray[Any],
    sets: NDArray[np.integer],
    regression: Logistic,
    penalty: float,
) -> Floats:
    """The chance of each image by a regression that did not see its set."""
    chances = expit(regression.logits(traits))
    for fold in range(_FOLDS):
        out = sets % _FOLDS == fold
        if out.any() and not out.all():
            fitted = fit_logistic(traits[~out], hits[~out], penalty, regression)
            chances[out] = expit(fitted.logits(traits[out]))
    return chances
