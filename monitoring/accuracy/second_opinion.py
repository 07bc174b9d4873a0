"""What other classifiers, which learned from changed images too, say of the class that was given.

A served model is often sure of its wrong answers to changed images. The reference holds such images
with their right classes, so a classifier can learn from them what the model has not: how likely is
the class that was given, and is another one likelier? Two of them are asked: a linear one, and one
that sees the images through random waves as well, and so bends. Both are simple sums over images,
and thus made anew in no time without some of them: an image of the reference is judged by
classifiers that know no view of its picture, as they know none of a request.

References: Friedman, Regularized Discriminant Analysis, 1989; Rahimi and Recht, Random Features for
Large-Scale Kernel Machines, 2007; Chen et al., Detecting Errors and Estimating Accuracy on
Unlabeled Data with Self-training Ensembles, 2021 (where a second classifier disagrees, the first
is often wrong).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp
from typing_extensions import Self

from models.observation.reference import Reference
from monitoring.accuracy.traits import Seen

Floats = NDArray[np.float64]
Widening = Callable[[Floats], Floats]
_FOLDS: Final = 5
_FURTHEST: Final = 8.0
"""Points further from the middle, standard deviations, are alike."""
_ROUND: Final = 0.05
"""Part of the spread that is taken to be the same in all directions."""
_WAVES: Final = 300
_SUREST: Final = 15.0
"""Logs of chances that differ by more are alike."""


class SecondOpinions:
    """What each classifier says of the images of a reference, and of others."""

    def __init__(self, reference: Reference) -> None:
        """Learns.

        Args:
            reference: of the version that answers; best with `stressed`.
        """
        known = _known(reference)
        count = len(reference.classes)
        self._opinions = [_Opinion(widen, known, count) for widen in _widenings(known.points)]

    def of_reference(self, served: NDArray[np.int32]) -> Floats:
        """Opinions of the held-out images and, after them, of those made worse on purpose.

        Args:
            served: the class that was given to each, int32 [n].

        Returns:
            float64 [n, 8].
        """
        return np.column_stack([opinion.crossed(served) for opinion in self._opinions])

    def of(self, seen: Seen) -> Floats:
        """Opinions of other images, float64 [m, 8]."""
        points = _points(seen.projections)
        return np.column_stack([each.of(points, seen.class_ids) for each in self._opinions])


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """Images whose classes are known: points [n, c], classes [n], pictures [n].

    Those of the same picture have the same number; -1 is for images that are never judged.
    """

    points: Floats
    classes: NDArray[np.int32]
    pictures: NDArray[np.int64]


def _known(reference: Reference) -> _Known:
    held_out = len(reference.labels)
    points = [reference.anchors, reference.projections]
    classes = [reference.anchor_labels, reference.labels]
    pictures = [np.full(len(reference.anchors), -1), np.arange(held_out)]
    if reference.stressed is not None:
        points.append(reference.stressed.projections)
        classes.append(reference.stressed.labels)
        pictures.append(np.arange(len(classes[-1])) % max(held_out, 1))
    return _Known(
        points=np.concatenate([_points(each) for each in points]),
        classes=np.concatenate(classes),
        pictures=np.concatenate(pictures),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sums:
    """All that a discriminant analysis needs of some images."""

    counts: Floats
    sums: Floats
    squares: Floats

    @classmethod
    def of(cls, points: Floats, classes: NDArray[np.int32], count: int) -> Self:
        sums = np.zeros((count, points.shape[1]))
        np.add.at(sums, classes, points)
        counts = np.bincount(classes, minlength=count).astype(np.float64)
        return cls(counts, sums, points.T @ points)

    def without(self, other: Self) -> Self:
        return type(self)(
            self.counts - other.counts, self.sums - other.sums, self.squares - other.squares
        )


@dataclass(frozen=True, slots=True, eq=False)
class _Discriminant:
    """A linear classifier."""

    weights: Floats
    biases: Floats

    @classmethod
    def of(cls, sums: _Sums) -> Self:
        """One for classes that spread alike around their means."""
        images = max(float(sums.counts.sum()), 1.0)
        means = sums.sums / np.maximum(sums.counts, 1.0)[:, None]
        spread = (sums.squares - means.T @ sums.sums) / images
        evenly = max(float(np.trace(spread)) / len(spread), 1e-6) * np.eye(len(spread))
        mixed = (1 - _ROUND) * spread + _ROUND * evenly
        weights = np.asarray(np.linalg.solve(mixed, means.T), np.float64)
        shares = (sums.counts + 1.0) / (images + len(means))
        return cls(weights, np.log(shares) - 0.5 * (means.T * weights).sum(axis=0))

    def of_class(self, points: Floats, served: NDArray[np.int32]) -> Floats:
        """Log of how much likelier the class is than the likeliest other, of its chance, and so on.

        Returns:
            float64 [n, 4].
        """
        scores = points @ self.weights + self.biases
        logs = scores - logsumexp(scores, axis=1, keepdims=True)
        rows = np.arange(len(points))
        own = logs[rows, served]
        logs[rows, served] = -np.inf
        lead = np.clip(own - logs.max(axis=1, initial=-_SUREST), -_SUREST, _SUREST)
        return np.column_stack([lead, np.maximum(own, -_SUREST), np.exp(own), lead > 0])


class _Opinion:
    """One classifier, and the same without each part of the pictures."""

    def __init__(self, widen: Widening, known: _Known, count: int) -> None:
        points = widen(known.points)
        judged = known.pictures >= 0
        everything = _Sums.of(points, known.classes, count)
        self._widen = widen
        self._all = _Discriminant.of(everything)
        self._points = points[judged]
        self._folds = known.pictures[judged] % _FOLDS
        self._without = [
            _Discriminant.of(everything.without(_Sums.of(points[out], known.classes[out], count)))
            for out in (judged & (known.pictures % _FOLDS == fold) for fold in range(_FOLDS))
        ]

    def crossed(self, served: NDArray[np.int32]) -> Floats:
        opinions = np.empty((len(served), 4))
        for fold, discriminant in enumerate(self._without):
            out = self._folds == fold
            opinions[out] = discriminant.of_class(self._points[out], served[out])
        return opinions

    def of(self, points: Floats, served: NDArray[np.int32]) -> Floats:
        return self._all.of_class(self._widen(points), served)


def _points(projections: NDArray[Any]) -> Floats:
    return np.clip(projections.astype(np.float64), -_FURTHEST, _FURTHEST)


def _widenings(points: Floats) -> tuple[Widening, Widening]:
    random = np.random.default_rng(0)
    wide = points.shape[1]
    directions = random.normal(size=(wide, _WAVES)) / max(wide, 1) ** 0.5
    shifts = random.uniform(0.0, 2 * np.pi, _WAVES)

    def waves(some: Floats) -> Floats:
        return np.column_stack([some, np.sqrt(2.0) * np.cos(some @ directions + shifts)])

    return (lambda some: some), waves
