"""How much test accuracy is lost by what decides between two models on few validation images?

Seven linear heads a data set (three strengths of the penalty on the last features and on those of
all blocks, one on the blocks alone), fitted to 500 images, are compared in pairs on random draws of
validation images. What is lost is the difference of their test accuracies where the worse one is
taken, and half of it where the two tie.

    ./dev bench quality/evidence --data ../shared/data/clothing ../shared/data/cifar10
"""

import argparse
import itertools
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import log_softmax

from benchmarks.quality.embedded import Embedded, embed_set
from models.head.evidence import answers_of, compare, log_loss

_TRAINING = 500
_STRENGTHS = (10**-2.5, 10**-3.5, 10**-5.0)
_DRAWS = 30
_VALIDATION = (40, 80, 160, 400)

Floats = NDArray[np.floating]


def main() -> None:
    """Prints a table in Markdown: points of test accuracy lost."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--data", nargs="+", required=True, help="folders of labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/quality"))
    arguments = parser.parse_args()
    lost: dict[tuple[int, str], list[float]] = defaultdict(list)
    for data in arguments.data:
        embedded = embed_set(data, arguments.size, arguments.cache)
        for images, rule, points in _losses(embedded):
            lost[images, rule].append(points)
    rules = list(dict.fromkeys(rule for _, rule in lost))
    print("| validation images | " + " | ".join(rules) + " |")
    print("|---" * (len(rules) + 1) + "|")
    for images in _VALIDATION:
        figures = [f"{np.mean(lost[images, rule]):.2f}" for rule in rules]
        print(f"| {images} | " + " | ".join(figures) + " |")


def _losses(data: Embedded) -> Iterator[tuple[int, str, float]]:
    """Number of validation images, rule, and points lost by it, for every pair and draw."""
    generator = np.random.default_rng(0)
    rows = generator.permutation(data.train)
    train, pool = rows[:_TRAINING], rows[_TRAINING:]
    logits = list(_heads(data, train))
    truth = data.classes
    accuracy = [(each.argmax(axis=1) == truth)[data.test].mean() for each in logits]
    for images in _VALIDATION:
        for _ in range(_DRAWS):
            drawn = generator.choice(pool, images, replace=False)
            seen = [(each[drawn], truth[drawn]) for each in logits]
            answers = [answers_of(*each) for each in seen]
            losses = [log_loss(*each) for each in seen]
            for one, other in itertools.combinations(range(len(logits)), 2):
                gains = {
                    "right answers": answers[one].accuracy - answers[other].accuracy,
                    "log loss": losses[other] - losses[one],
                    "evidence": compare(answers[one], answers[other]).gain,
                }
                gap = accuracy[one] - accuracy[other]
                for rule, gain in gains.items():
                    share = (1.0 - np.sign(gain) * np.sign(gap)) / 2.0
                    yield images, rule, 100.0 * abs(gap) * share


def _heads(data: Embedded, train: NDArray[np.int64]) -> Iterator[Floats]:
    """Logits [n, k] of all images, by each head."""
    kinds = [
        (data.features[:, : data.last], _STRENGTHS),
        (data.features, _STRENGTHS),
        (data.features[:, data.last :], _STRENGTHS[1:2]),
    ]
    for features, strengths in kinds:
        drawn = features[train]
        spread = np.sqrt(drawn.var(axis=0) + 0.1 * drawn.var(axis=0).mean())
        scaled = (features - drawn.mean(axis=0)) / spread / np.sqrt(features.shape[1])
        for strength in strengths:
            yield scaled @ _fit(scaled[train], data.classes[train], strength)


def _fit(features: Floats, classes: NDArray[np.int64], strength: float) -> Floats:
    """Kernel [d, k] of the logistic regression without an intercept."""
    targets = np.eye(classes.max() + 1)[classes]

    def loss(flat: Floats) -> tuple[float, Floats]:
        kernel = flat.reshape(features.shape[1], -1)
        logs = log_softmax(features @ kernel, axis=1)
        value = -(targets * logs).sum() / len(classes) + strength / 2 * (kernel**2).sum()
        gradient = features.T @ (np.exp(logs) - targets) / len(classes) + strength * kernel
        return value, gradient.ravel()

    start = np.zeros(features.shape[1] * targets.shape[1])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 200})
    return found.x.reshape(features.shape[1], -1)


if __name__ == "__main__":
    main()
