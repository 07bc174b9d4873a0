"""Describes a task in a few figures, from its embeddings, before the first trial."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.history.records import EmbeddingStatistics, TaskDescription
from models.row_blocks import mean_and_variance

_MOST_ROWS = 2000
"""Rows that the covariance is computed from; more change the third digit."""
_PROJECTIONS = 64
"""Of the mean embedding; distances between means are then off by an eighth."""


@dataclass(frozen=True)
class Origin:
    """Where embeddings come from.

    Attributes:
        backbone: name.
        weights: as configured.
        weights_digest: of the backbone's values.
        image_size: side in pixels.
        data_fingerprint: of `models.head.labelled_embeddings.fingerprint`.
    """

    backbone: str
    weights: str
    weights_digest: str
    image_size: int
    data_fingerprint: str


def describe(task: HeadTask, origin: Origin) -> TaskDescription:
    """Computes the description that goes into the history; takes well under a second."""
    return TaskDescription(
        images=len(task.train.classes),
        validation_images=len(task.validation.classes),
        classes=task.classes,
        balance=_balance(task.train.classes, task.classes),
        image_size=origin.image_size,
        backbone=origin.backbone,
        weights=origin.weights,
        weights_digest=origin.weights_digest,
        dimension=task.train.embeddings.shape[1],
        embedding=_embedding_statistics(task),
        data_fingerprint=origin.data_fingerprint,
        centre=_centre(task.train.embeddings),
    )


def _centre(embeddings: NDArray[np.float32]) -> tuple[float, ...]:
    """The mean embedding on axes that are the same for every task of this dimension.

    Random signs keep squared distances in the mean (D. Achlioptas, "Database-friendly random
    projections", 2003).
    """
    mean, _ = mean_and_variance(embeddings)
    # Numbers of the old generator stay the same from one version of NumPy to the next.
    signs = 2 * np.random.RandomState(0).randint(0, 2, (_PROJECTIONS, len(mean))) - 1
    return tuple(float(each) for each in signs @ mean / math.sqrt(_PROJECTIONS))


def _balance(classes: NDArray[np.integer], count: int) -> float:
    shares = np.bincount(classes, minlength=count) / len(classes)
    shares = shares[shares > 0]
    # Rounding may leave the interval.
    return float(np.clip(-(shares * np.log(shares)).sum() / np.log(count), 0.0, 1.0))


def _embedding_statistics(task: HeadTask) -> EmbeddingStatistics:
    embeddings = task.train.embeddings
    mean, variance = mean_and_variance(embeddings)
    total = float(variance.sum())
    centroids, present = _centroids(task.train, task.classes)
    shares = np.bincount(task.train.classes, minlength=task.classes)[present] / len(embeddings)
    between = float((shares[:, None] * (centroids - mean) ** 2).sum())
    return EmbeddingStatistics(
        total_variance=total,
        effective_dimension=_participation_ratio(_spread_out(embeddings) - mean),
        class_separation=min(between / total, 1.0) if total > 0 else 0.0,
        centroid_accuracy=_centroid_accuracy(task, centroids, present, variance),
    )


def _centroids(
    split: LabelledEmbeddings, classes: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Means of the classes that have images, [c, d], and their indices, [c]."""
    present = np.flatnonzero(np.bincount(split.classes, minlength=classes))
    means = [split.embeddings[split.classes == index].mean(axis=0) for index in present]
    return np.stack(means).astype(np.float64), present


def _spread_out(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows from all over the split."""
    return embeddings[:: max(1, len(embeddings) // _MOST_ROWS)]


def _participation_ratio(rows: NDArray[np.float64]) -> float:
    """Effective number of dimensions of centred rows: (trace C)² / |C|²."""
    # The non-zero spectra of XᵀX and XXᵀ are the same; the smaller is cheaper.
    gram = rows.T @ rows if rows.shape[1] <= len(rows) else rows @ rows.T
    norm = float((gram**2).sum())
    return float(np.trace(gram) ** 2 / norm) if norm > 0 else 0.0


def _centroid_accuracy(
    task: HeadTask,
    centroids: NDArray[np.float64],
    present: NDArray[np.intp],
    variance: NDArray[np.float64],
) -> float:
    scale = 1 / np.sqrt(variance + 1e-3 * variance.mean() + 1e-12)
    points, centres = task.validation.embeddings * scale, centroids * scale
    # |p - c|² without |p|², which is the same for every class.
    distances = (centres**2).sum(axis=1) - 2 * points @ centres.T
    return float(np.mean(present[distances.argmin(axis=1)] == task.validation.classes))
