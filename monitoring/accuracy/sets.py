"""What a set of images as a whole tells beyond its images one by one."""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from monitoring.accuracy.logistic import fit_logistic

Floats = NDArray[np.float64]
_DIRECTIONS: Final = 10
_LEAST: Final = 8
"""Images that a set needs."""
_FOLDS: Final = 7
_REACHES: Final = (0.5, 0.8, 1.2, 2.0)
"""Tried lengths of the kernel, in median distances between sets."""
_USUAL_REST: Final = 0.1
"""Standard deviation of what is left where there is nothing to learn it from."""


class ChangedSets:
    """A Gaussian process over sets: mean traits to what a regression leaves of the accuracy."""

    def __init__(
        self,
        traits: Floats,
        hits: NDArray[Any],
        chances: Floats,
        sets: NDArray[np.integer],
        penalty: float,
    ) -> None:
        """Learns from images that came in sets.

        Args:
            traits: float64 [n, f], standardised.
            hits: n truths.
            chances: float64 [n], of a hit, by the regression.
            sets: int [n], the set of each image; -1 for those that are not changed.
            penalty: of the regression.
        """
        numbers, counts = np.unique(sets, return_counts=True)
        numbers, counts = numbers[counts >= _LEAST], counts[counts >= _LEAST]
        left = _left_out(traits, hits, sets, penalty)
        members = [sets == number for number in numbers]
        means = np.array([traits[rows].mean(axis=0) for rows in members])
        self._centre = means[0]
        weighted = (means - self._centre) * np.sqrt(counts)[:, None]
        self._axes = np.linalg.svd(weighted, full_matrices=False)[2][:_DIRECTIONS].T
        self._places = (means - self._centre) @ self._axes
        # How far off the regression is on a set that it has not seen says how large the rest is.
        self._rests = np.array([(hits[rows] - left[rows]).mean() for rows in members])
        noises = np.array([max((left * (1 - left))[rows].mean(), 0.01) for rows in members])
        self._noises = noises / counts
        self._spread, self._reach = self._best()
        matrix = self._kernel(self._places) + np.diag(self._noises)
        self._inverse = np.linalg.inv(matrix)
        self._rests = np.array([(hits[rows] - chances[rows]).mean() for rows in members])

    def rest(self, mean_traits: Floats) -> tuple[float, float]:
        """What to add to the accuracy of a set, and the standard error of that."""
        near = self._kernel((mean_traits - self._centre)[None] @ self._axes)[0]
        spread = self._spread**2 - near @ self._inverse @ near
        return float(near @ self._inverse @ self._rests), float(np.sqrt(max(spread, 0.0)))

    def _best(self) -> tuple[float, float]:
        """Size and length of the kernel with the greatest likelihood."""
        if len(self._places) < 3:
            return _USUAL_REST, 1.0
        gaps = self._places[:, None] - self._places[None]
        usual = float(np.median(np.sqrt((gaps**2).sum(axis=2))[np.triu_indices(len(gaps), 1)]))
        tried = [
            (spread, reach * usual) for spread in (0.03, 0.06, 0.1, 0.15, 0.2) for reach in _REACHES
        ]
        return max(tried, key=lambda pair: self._likelihood(*pair))

    def _likelihood(self, spread: float, reach: float) -> float:
        self._spread, self._reach = spread, reach
        matrix = self._kernel(self._places) + np.diag(self._noises)
        _, size = np.linalg.slogdet(matrix)
        return -float(self._rests @ np.linalg.solve(matrix, self._rests)) - float(size)

    def _kernel(self, places: Floats) -> Floats:
        gaps = ((places[:, None] - self._places[None]) ** 2).sum(axis=2)
        return np.asarray(self._spread**2 * np.exp(-gaps / (2 * self._reach**2)))


def _left_out(
    traits: Floats, hits: NDArray[Any], sets: NDArray[np.integer], penalty: float
) -> Floats:
    """The chance of each image by a regression that did not see its set."""
    chances = np.empty(len(hits))
    for fold in range(_FOLDS):
        out = sets % _FOLDS == fold
        if out.all():
            chances[:] = expit(fit_logistic(traits, hits, penalty).logits(traits))
        elif out.any():
            chances[out] = expit(
                fit_logistic(traits[~out], hits[~out], penalty).logits(traits[out])
            )
    return chances
