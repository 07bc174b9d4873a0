"""What does a linear head gain that learns from the validation images too, in the end?

    ./dev bench strategies/refit --tasks ../shared/data/clothing ../shared/data/signdigits

Of so many labelled images of so many classes 15 of 85 validate, of each class alike, as in the
product. "Refitted" has the strength that they chose, and is fitted to all; both heads have the
temperature of the one that knew no validation image. "Product" is the head that is exported, the
few-shot head where that is kept. The scikit-learn digits are always a task. What was measured is
kept in the cache folder.
"""

import argparse
from collections.abc import Mapping
from functools import partial
from itertools import product
from pathlib import Path
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from benchmarks.quality.embedded import Embedded, embed_set
from benchmarks.strategies.run import Kept
from models.head.calibration import calibration
from models.head.evidence import log_loss
from models.head.frozen_head import fit_frozen_head
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.refit import refitted
from models.metrics import calibration_bins, calibration_error
from models.training.strategies.choice import choose_head
from models.training.strategies.few_shot import FewShot
from models.training.strategies.strategy import Situation
from models.training.training_settings import TrainingSettings
from pipeline.demo import write_digits

_VALIDATION: Final = 0.15 / 0.85
_DRAWS: Final = 2000
_ALL_SETS: Final = "all"

Measured = Mapping[str, float]


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="*", default=[], help="folders of labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--images", type=int, nargs="+", default=[50, 200, 500, 1000])
    parser.add_argument("--classes", type=int, nargs="+", default=[15], help="at most, drawn")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    arguments = parser.parse_args()
    write_digits(arguments.cache / "digits")
    kept = Kept(arguments.cache / "refit.jsonl")
    rows: dict[tuple[int, int, str], list[Measured]] = {}
    for task in (str(arguments.cache / "digits"), *arguments.tasks):
        data = embed_set(task, arguments.size, arguments.cache)
        for classes, images, seed in product(
            arguments.classes, arguments.images, range(arguments.seeds)
        ):
            key = f"{data.name} {arguments.size} {classes} {images} {seed}"
            found = kept.get(key, partial(_measure, data, classes, images, seed))
            if not found:
                continue
            for name in (data.name, _ALL_SETS):
                rows.setdefault((classes, images, name), []).append(found)
    print(
        "| classes | images | set | accuracy | gain, points [95 %] | worst | log loss, refitted | "
        "ECE, refitted | product: gain [95 %] | worst |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for (classes, images, name), draws in sorted(rows.items()):
        print(f"| {classes} | {images} | {name} | {_row(draws)} |")


def _row(found: list[Measured]) -> str:
    mean = {name: np.mean([each[name] for each in found]) for name in found[0]}
    pairs = [
        f"{mean[f'linear {figure}']:.3f}, {mean[f'refitted {figure}']:.3f}"
        for figure in ("log loss", "ECE")
    ]
    parts = [f"{mean['linear accuracy']:.3f}", *_gain(found, "linear", "refitted"), *pairs]
    return " | ".join([*parts, *_gain(found, "before", "after")])


def _gain(found: list[Measured], old: str, new: str) -> tuple[str, str]:
    gains = 100 * np.array([each[f"{new} accuracy"] - each[f"{old} accuracy"] for each in found])
    draws = np.random.default_rng(0).choice(gains, (_DRAWS, len(gains))).mean(axis=1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return f"{gains.mean():+.1f} [{low:+.1f}, {high:+.1f}]", f"{gains.min():+.1f}"


def _measure(data: Embedded, classes: int, images: int, seed: int) -> Measured:
    """Nothing where the set has fewer images of the classes that are drawn."""
    random = np.random.default_rng(seed)
    known = np.sort(random.permutation(data.classes.max() + 1)[:classes])

    def labelled(rows: NDArray[np.int64]) -> LabelledEmbeddings:
        among = np.searchsorted(known, data.classes[rows])
        return LabelledEmbeddings(data.features[rows], among)

    def of_known(rows: NDArray[np.int64]) -> NDArray[np.int64]:
        return rows[np.isin(data.classes[rows], known)]

    drawn = random.permutation(of_known(data.train))[:images]
    if len(drawn) < images:
        return {}
    held = np.concatenate([_some(drawn[data.classes[drawn] == each]) for each in known])
    task = HeadTask(labelled(np.setdiff1d(drawn, held)), labelled(held), len(known))
    test = labelled(of_known(data.test))
    linear = fit_frozen_head(task)
    again = refitted(linear, task)
    logits = linear.model.predict(task.validation.embeddings, verbose=0)
    temperature = calibration(logits, task.validation.classes).temperature
    situation = Situation(task, TrainingSettings())
    chosen = choose_head(linear.model, linear.answers, situation, (FewShot(),))
    is_linear = chosen.model is linear.model
    heads = {
        "linear": (linear.model, temperature),
        "refitted": (again, temperature),
        "before": (chosen.model, temperature if is_linear else 1.0),
        "after": (again, temperature) if is_linear else (chosen.model, 1.0),
    }
    return {
        f"{name} {figure}": value
        for name, (head, divisor) in heads.items()
        for figure, value in _figures(head, divisor, test).items()
    }


def _some(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return rows[: max(round(_VALIDATION * len(rows)), int(len(rows) > 1))]


def _figures(head: keras.Model, temperature: float, test: LabelledEmbeddings) -> Measured:
    logits = head.predict(test.embeddings, batch_size=1024, verbose=0) / temperature
    bins = calibration_bins(test.classes, softmax(logits, axis=1))
    return {
        "accuracy": float((logits.argmax(axis=1) == test.classes).mean()),
        "log loss": log_loss(logits, test.classes),
        "ECE": calibration_error(bins),
    }


if __name__ == "__main__":
    main()
