"""Is a mark in the images of one class found, and is nothing found where there is none?

A linear head is fitted to the features of 700 images; in those of one class a square in a corner is
painted over, faintly or fully, in training and in test. Then parts of the test images are covered,
as the Judge does.

    ./dev bench strategies/shortcuts --data ../shared/data/signdigits ../shared/data/clothing
"""

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.special import softmax

from benchmarks.quality.embedded import BACKBONE, Embedded, embed_set
from components.judge.occlusion import Answer, Floats, find_shortcuts
from models.backbones import build_backbone
from models.data.image_decoding import ImageSpec, compiled_decoding
from models.head.linear_head import fit_linear
from pipeline.demo import write_digits

_TRAINING = 700
_MARKED = 3
_STRENGTHS = (0.0, 0.6, 1.0)
_BATCH = 32
_PENALTIES = (1e-3, 1e-4)


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", nargs="*", default=[], help="folders of labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--images", type=int, default=5, help="test images of a class")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/quality"))
    arguments = parser.parse_args()
    digits = arguments.cache / "digits"
    write_digits(digits)
    print("| data | mark | accuracy | found |\n|---|---|---|---|")
    for data in (str(digits), *arguments.data):
        embedded = embed_set(data, arguments.size, arguments.cache)
        for strength, accuracy, found in _measure(embedded, arguments.size, arguments.images):
            mark = f"{strength:.0%}" if strength else "none"
            print(f"| {embedded.name} | {mark} | {accuracy:.3f} | {found} |", flush=True)


def _measure(data: Embedded, size: int, each: int) -> Iterator[tuple[float, float, str]]:
    embed = _Embedding(size)
    count = int(data.classes.max()) + 1
    by_class = [data.test[data.classes[data.test] == index] for index in range(count)]
    test = np.concatenate([rows[: 2 * each] for rows in by_class])
    train = data.train[:_TRAINING]
    classes = data.classes[test]
    plain = embed.pixels(data, test)
    for strength in _STRENGTHS:
        features, images = data.features[train].copy(), plain.copy()
        if strength:
            marked = np.flatnonzero(data.classes[train] == _MARKED)
            painted = _painted(embed.pixels(data, train[marked]), strength)
            features[marked] = embed(painted)
            images[classes == _MARKED] = _painted(images[classes == _MARKED], strength)
        answer = _fitted(features, data.classes[train], embed)
        right = answer(images).argmax(axis=1) == classes
        chosen = np.concatenate(
            [np.flatnonzero(right & (classes == index))[:each] for index in range(count)]
        )
        labels = tuple(str(index) for index in range(count))
        found = find_shortcuts(images[chosen], classes[chosen], labels, answer)
        told = [f"class {one.label}, {one.region}: gain {one.gain:.2f}" for one in found]
        yield strength, float(right.mean()), "; ".join(told) or "nothing"


class _Embedding:
    """Pixels of images, and features of pixels."""

    def __init__(self, size: int) -> None:
        backbone = build_backbone(BACKBONE, "imagenet", size, features="all")
        self._decode = compiled_decoding(ImageSpec(size))
        self._forward = tf.function(lambda images: backbone.model(images, training=False))

    def pixels(self, data: Embedded, rows: NDArray[np.int64]) -> Floats:
        files = [Path(data.paths[row]).read_bytes() for row in rows]
        return np.stack([self._decode(tf.constant(file)).numpy() for file in files])

    def __call__(self, images: Floats) -> Floats:
        parts = []
        for at in range(0, len(images), _BATCH):
            batch = images[at : at + _BATCH]
            # Always of one shape, so that it is traced once.
            whole = np.resize(batch, (_BATCH, *batch.shape[1:]))
            parts.append(self._forward(whole).numpy()[: len(batch)])
        return np.concatenate(parts)


def _painted(images: Floats, strength: float) -> Floats:
    """With a red square in a white frame near the lower right corner."""
    side = images.shape[1]
    low, high = int(0.8 * side), int(0.97 * side)
    mark = np.full((high - low, high - low, 3), 255.0, np.float32)
    mark[2:-2, 2:-2] = (200.0, 30.0, 30.0)
    painted = images.copy()
    area = painted[:, low:high, low:high]
    painted[:, low:high, low:high] = (1 - strength) * area + strength * mark
    return painted


def _fitted(features: Floats, classes: NDArray[np.int64], embed: _Embedding) -> Answer:
    mean, variance = features.mean(axis=0), features.var(axis=0)
    spread = np.sqrt(variance + 0.1 * variance.mean())
    scaled = (features - mean) / spread
    order = np.random.default_rng(0).permutation(len(scaled))
    held, fitted = np.split(order, [len(order) // 6])
    weights = np.ones(int(classes.max()) + 1, np.float32)
    head = fit_linear(
        *(scaled[fitted], classes[fitted], scaled[held], classes[held], weights), _PENALTIES
    )

    def answer(images: Floats) -> Floats:
        logits = (embed(images) - mean) / spread @ head.kernel + head.bias
        return np.asarray(softmax(logits, axis=1), np.float32)

    return answer


if __name__ == "__main__":
    main()
