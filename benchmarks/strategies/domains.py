"""The situations with images of another domain: some without labels, others to judge on."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.quality.embedded import BACKBONE, Embedded
from benchmarks.strategies.feature_shift import find_shift
from benchmarks.strategies.shifted import SHIFTS, shifted
from models.backbones import build_backbone
from models.data.image_decoding import ImageSpec, decode_and_resize
from models.embedding.forward import Embedder
from models.head.frozen_head import FrozenHead, fit_frozen_head
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings

_TARGET = 400
"""Images of the other domain; the first half without labels, the others to judge on."""
_TRAINING, _VALIDATION = 600, 150
_BATCH = 88
_DIRECTIONS = 100
_ROUND = 0.1
_FEW_CLASSES = 3

Floats = NDArray[Any]
Measure = Callable[[int], Mapping[str, float]]


def target_situations(data: Embedded, size: int, cache: Path) -> Iterator[tuple[str, Measure]]:
    """Each change of `shifted.SHIFTS`, of all classes and of the first three alone."""
    for kind in SHIFTS:
        for classes, words in ((len(data.classes), ""), (_FEW_CLASSES, ", 3 classes alone")):
            yield f"target {kind}{words}", partial(_target, data, size, cache, kind, classes)


def _target(
    data: Embedded, size: int, cache: Path, kind: str, classes: int, seed: int
) -> Mapping[str, float]:
    drawn = np.random.default_rng(seed).permutation(data.train)
    splits = drawn[:_TRAINING], drawn[_TRAINING : _TRAINING + _VALIDATION]
    train, validation = (
        LabelledEmbeddings(data.features[rows], data.classes[rows]) for rows in splits
    )
    task = HeadTask(train, validation, int(data.classes.max()) + 1)
    head = fit_frozen_head(task)
    plain, recomputed = _embedded(data, size, cache, kind)
    truth = data.classes[data.test[: len(plain)]]
    known = truth < classes
    half = len(plain) // 2
    target, judged, right = (
        plain[:half][known[:half]],
        plain[half:][known[half:]],
        truth[half:][known[half:]],
    )
    source = np.concatenate([task.train.embeddings, task.validation.embeddings])
    shift = find_shift(task, head.model, target)
    answers = {
        "no change": judged,
        "BatchNorm recomputed (AdaBN)": recomputed[half:][known[half:]],
        "mean": judged - target.mean(axis=0) + source.mean(axis=0),
        "mean and variance": _as_wide(judged, target, source),
        "CORAL": _coral(judged, target, source),
        "mean, class shares estimated": judged - shift.vector,
        "auto": judged - shift.vector if shift.is_large else judged,
    }
    return {name: _accuracy(head, each, right) for name, each in answers.items()}


def _accuracy(head: FrozenHead, features: Floats, right: NDArray[np.int64]) -> float:
    logits = head.model.predict(features, batch_size=1024, verbose=0)
    return float((logits.argmax(axis=1) == right).mean())


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


def _embedded(data: Embedded, size: int, cache: Path, kind: str) -> tuple[Floats, Floats]:
    """Features of the changed images, by the backbone as it is and by one that saw the first half.

    The latter's BatchNorm statistics are those of the target (Y. Li et al., "Revisiting Batch
    Normalization for Practical Domain Adaptation", 2016).
    """
    kept = cache / f"{data.name}-{size}-{kind}.npz"
    if not kept.exists():
        paths = [data.paths[row] for row in data.test[:_TARGET]]
        images = [shifted(Path(path).read_bytes(), kind) for path in paths]
        spec = ImageSpec(size)
        backbone = build_backbone(BACKBONE, "imagenet", size, features="all")
        plain = Embedder(backbone, spec).embed(images)
        half = images[: len(images) // 2]
        pixels = [decode_and_resize(tf.constant(each), spec).numpy() for each in half]
        _recompute(backbone.model, np.stack(pixels))
        np.savez(kept, plain=plain, ada=Embedder(backbone, spec).embed(images))
    with np.load(kept) as arrays:
        return arrays["plain"], arrays["ada"]


def _recompute(model: keras.Model, pixels: Floats) -> None:
    """Makes BatchNorm's statistics the means over batches."""
    norms = [each for each in model.layers if isinstance(each, keras.layers.BatchNormalization)]
    for batch in range(max(1, len(pixels) // _BATCH)):
        for each in norms:
            each.momentum = 1.0 - 1.0 / (batch + 1)
        model(pixels[batch * _BATCH :][:_BATCH], training=True)
