"""Features of another domain, made to look like those of the source; not in the product."""

from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.strategies.feature_shift import find_shift
from models.head.frozen_head import FrozenHead
from models.head.labelled_embeddings import HeadTask

_BATCH: Final = 88
_DIRECTIONS: Final = 100
_ROUND: Final = 0.1

Floats = NDArray[Any]


def matched(task: HeadTask, head: FrozenHead, seen: Floats, judged: Floats) -> dict[str, Floats]:
    """Matches the features of the target to those of the source, in several ways.

    Args:
        task: the source.
        head: of it.
        seen: features of images of the target, without labels.
        judged: of others.

    Returns:
        What becomes of the latter.
    """
    source = task.labelled.embeddings
    shift = find_shift(task, head.model, seen)
    return {
        "means matched": judged - seen.mean(axis=0) + source.mean(axis=0),
        "means and variances matched": _as_wide(judged, seen, source),
        "CORAL": _coral(judged, seen, source),
        "means matched, class shares estimated": judged - shift.vector,
        "the same, where the shift is large": judged - shift.vector if shift.is_large else judged,
    }


def _as_wide(judged: Floats, target: Floats, source: Floats) -> Floats:
    def spread(features: Floats) -> Floats:
        return np.sqrt(features.var(axis=0) + _ROUND * features.var(axis=0).mean())

    return (judged - target.mean(axis=0)) / spread(target) * spread(source) + source.mean(axis=0)


def _coral(judged: Floats, target: Floats, source: Floats) -> Floats:
    """B. Sun et al., "Return of Frustratingly Easy Domain Adaptation", AAAI 2016.

    In the directions in which both vary most; a covariance of 3,000 features is beyond 200 images.
    """
    scale = np.sqrt(source.var(axis=0) + _ROUND * source.var(axis=0).mean())
    ours, theirs = (source - source.mean(axis=0)) / scale, (target - target.mean(axis=0)) / scale
    _, _, axes = np.linalg.svd(np.concatenate([ours, theirs]), full_matrices=False)
    axes = axes[:_DIRECTIONS]
    centred = (judged - target.mean(axis=0)) / scale
    along = centred @ axes.T
    whitened = along @ _power(np.cov((theirs @ axes.T).T), -0.5)
    coloured = whitened @ _power(np.cov((ours @ axes.T).T), 0.5)
    moved = centred + (coloured - along) @ axes
    return (moved * scale + source.mean(axis=0)).astype(np.float32)


def _power(covariance: Floats, exponent: float) -> Floats:
    size = len(covariance)
    values, vectors = np.linalg.eigh(
        covariance + _ROUND * np.trace(covariance) / size * np.eye(size)
    )
    return (vectors * values**exponent) @ vectors.T


def recompute_batch_norm(model: keras.Model, pixels: Floats) -> None:
    """Makes BatchNorm's statistics those of the target.

    Y. Li et al., "Revisiting Batch Normalization for Practical Domain Adaptation", 2016 (AdaBN).

    Args:
        model: from pixels; changed.
        pixels: of the target.
    """
    norms = [each for each in model.layers if isinstance(each, keras.layers.BatchNormalization)]
    for batch in range(max(1, len(pixels) // _BATCH)):
        for each in norms:
            each.momentum = 1.0 - 1.0 / (batch + 1)
        model(pixels[batch * _BATCH :][:_BATCH], training=True)
