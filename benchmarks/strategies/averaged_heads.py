"""Does averaging heads gain, and is a head calibrated?

    ./dev bench strategies/averaged_heads --tasks ../shared/data/clothing ../shared/data/signdigits

All heads are linear and read the same features, so that the mean of their weights answers as the
mean of their logits does, at the price of one. "All images" is a single head of the chosen
strength that learns from the validation images too: what folds gain beyond it is the averaging's.
The temperature is that of `models.head.calibration`.
"""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from benchmarks.quality.embedded import Embedded, embed_set
from models.head.calibration import calibration
from models.head.evidence import log_loss
from models.head.head_model import standardised, statistics
from models.head.linear_head import STRENGTHS, LinearHead, fit_linear
from models.metrics import calibration_bins, calibration_error

_VALIDATION = 0.18
_HEADS = 5
_DRAWS = 2000

Floats = NDArray[np.float32]
Figures = tuple[float, float, float]
"""Accuracy, log loss in nats, calibration error."""


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="+", required=True, help="folders of labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--images", type=int, nargs="+", default=[200, 1000], help="labelled ones")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    arguments = parser.parse_args()
    found: dict[tuple[int, str], list[tuple[float, ...]]] = {}
    for task in arguments.tasks:
        data = embed_set(task, arguments.size, arguments.cache)
        for images in arguments.images:
            for seed in range(arguments.seeds):
                arms = _measure(data, images, seed)
                first = next(iter(arms.values()))[0]
                for name, figures in arms.items():
                    gain = 100 * (figures[0] - first)
                    found.setdefault((images, name), []).append((*figures, gain))
                told = {name: [f"{each:.4f}" for each in row] for name, row in arms.items()}
                print(data.name, images, seed, told, flush=True)
    print("\n| images | head | accuracy | gain, points [95 %] | worst | log loss | ECE |")
    print("|---|---|---|---|---|---|---|")
    for (images, name), rows in found.items():
        accuracy, loss, error, gain = np.mean(rows, axis=0)
        gains = np.array([row[-1] for row in rows])
        draws = np.random.default_rng(0).choice(gains, (_DRAWS, len(gains))).mean(axis=1)
        low, high = np.quantile(draws, (0.025, 0.975))
        print(
            f"| {images} | {name} | {accuracy:.3f} | {gain:+.1f} [{low:+.1f}, {high:+.1f}] | "
            f"{gains.min():+.1f} | {loss:.3f} | {error:.3f} |"
        )


def _measure(data: Embedded, images: int, seed: int) -> Mapping[str, Figures]:
    random = np.random.default_rng(seed)
    rows = random.permutation(data.train)[:images]
    mean, variance = statistics(data.features[rows])
    features = standardised(data.features[rows], mean, variance)
    test = standardised(data.features[data.test], mean, variance)
    classes, right = data.classes[rows], data.classes[data.test]
    count = int(data.classes.max()) + 1
    border = round((1.0 - _VALIDATION) * images)
    train, held = np.arange(border), np.arange(border, images)

    def fit(
        learned: NDArray[np.integer],
        judged: NDArray[np.integer],
        strengths: Sequence[float] = STRENGTHS,
    ) -> LinearHead:
        return fit_linear(
            features[learned],
            classes[learned],
            features[judged],
            classes[judged],
            np.ones(count, np.float32),
            strengths,
        )

    one = fit(train, held)
    temperature = calibration(features[held] @ one.kernel + one.bias, classes[held]).temperature
    bags = [fit(random.choice(train, border), held) for _ in range(_HEADS)]
    folds = np.array_split(random.permutation(images), _HEADS)
    crossed = [fit(np.setdiff1d(np.arange(images), fold), fold) for fold in folds]
    everything = fit(np.arange(images), held, (one.strength,))
    return {
        "linear head": _figures(test @ one.kernel + one.bias, right),
        "with a temperature": _figures((test @ one.kernel + one.bias) / temperature, right),
        f"mean of {_HEADS} bags": _figures(_mean_logits(bags, test), right),
        f"mean of {_HEADS} folds": _figures(_mean_logits(crossed, test), right),
        "all images": _figures(test @ everything.kernel + everything.bias, right),
    }


def _mean_logits(heads: list[LinearHead], rows: Floats) -> Floats:
    kernel = np.mean([each.kernel for each in heads], axis=0)
    return np.asarray(rows @ kernel + np.mean([each.bias for each in heads], axis=0), np.float32)


def _figures(logits: Floats, right: NDArray[np.integer]) -> Figures:
    bins = calibration_bins(right, softmax(logits, axis=1))
    accuracy = float((logits.argmax(axis=1) == right).mean())
    return accuracy, log_loss(logits, right), calibration_error(bins)


if __name__ == "__main__":
    main()
