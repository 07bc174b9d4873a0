"""What does a linear head gain that learns from the validation images too, in the end?

    ./dev bench strategies/refit --tasks ../shared/data/clothing ../shared/data/signdigits

Of so many labelled images of so many classes 15 of 85 validate, of each class alike, as in the
product. "Refitted" has the strength that they chose, and is fitted to all; it has the temperature
of the linear head, which knew no validation image. "auto" is the head that is exported, the
few-shot head where that is kept. Up to 200 images, linear heads of bags and of folds are averaged,
too. Gains are over the linear head, those of "auto" over the same without the refit. The
scikit-learn digits are always a task. What was measured is kept in the cache folder.
"""

import argparse
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from benchmarks.quality.embedded import Embedded, embed_set
from benchmarks.strategies.averaged_heads import averaged_heads
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.measurement import AUTO, Measurement
from benchmarks.strategies.tables import interval
from models.head.calibration import calibration
from models.head.evidence import log_loss
from models.head.frozen_head import fit_frozen_head
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.refit import refitted
from models.metrics import calibration_bins, calibration_error
from models.training.strategies.choice import choose_head
from models.training.strategies.strategy import Situation
from models.training.training_settings import TrainingSettings
from pipeline.demo import write_digits

_VALIDATION: Final = 0.15 / 0.85
_IMAGES: Final = (50, 200, 500, 1000)
_CLASSES: Final = 15
_MOST_AVERAGED: Final = 200
"""Images that averaged heads are fitted to: ten fits take long."""
_ALL_SETS: Final = "all"
_LINEAR, _NOT_REFITTED = "linear head", f"{AUTO}, not refitted"
_BESIDE: Final = {AUTO: _NOT_REFITTED}
"""What gains are over, where that is not the linear head."""

Measured = Mapping[str, Any]


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="*", default=[], help="folders of labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--images", type=int, nargs="+", default=_IMAGES)
    parser.add_argument("--classes", type=int, nargs="+", default=[_CLASSES], help="at most, drawn")
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
            key = f"{task} {arguments.size} {classes} {images} {seed}"
            found = kept.get(key, partial(_measured, data, classes, images, seed))
            if not found:
                continue
            for name in (data.name, _ALL_SETS):
                rows.setdefault((classes, images, name), []).append(found)
    print(
        "| classes | images | set | head | accuracy | gain, points [95 %] | worst | log loss | ECE "
        "|\n|---|---|---|---|---|---|---|---|---|"
    )
    for (classes, images, name), draws in sorted(rows.items()):
        for head in draws[0]:
            print(f"| {classes} | {images} | {name} | {head} | {_row(draws, head)} |")


def linear_heads(data: Embedded) -> Iterator[Measurement]:
    """So many labelled images in all."""
    for images in _IMAGES:
        yield Measurement(f"{images} images in all", partial(_accuracies, data, images))


def _accuracies(data: Embedded, images: int, seed: int) -> Mapping[str, float]:
    found = _measured(data, _CLASSES, images, seed)
    return {name: figures["accuracy"] for name, figures in found.items()}


def _row(draws: Sequence[Measured], head: str) -> str:
    other = _BESIDE.get(head, _LINEAR)
    gains = np.array([each[head]["accuracy"] - each[other]["accuracy"] for each in draws])
    mean = {name: np.mean([each[head][name] for each in draws]) for name in draws[0][head]}
    return (
        f"{mean['accuracy']:.3f} | {interval(gains)} | {100 * gains.min():+.1f} | "
        f"{mean['log loss']:.3f} | {mean['ECE']:.3f}"
    )


def _measured(data: Embedded, classes: int, images: int, seed: int) -> Measured:
    """Of each head its figures; nothing where the set has fewer images of the drawn classes."""
    random = np.random.default_rng(seed)
    known = np.sort(random.permutation(data.count)[:classes])

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
    linear = fit_frozen_head(task)
    again = refitted(linear, task)
    logits = linear.model.predict(task.validation.embeddings, verbose=0)
    temperature = calibration(logits, task.validation.classes).temperature
    settings = TrainingSettings()
    chosen = choose_head(linear.model, linear.answers, Situation(task, settings))
    before = (chosen.model, temperature if chosen.model is linear.model else 1.0)
    is_refitted = chosen.model is linear.model and images <= settings.refit_images
    heads = {
        _LINEAR: (linear.model, temperature),
        f"{_LINEAR}, without a temperature": (linear.model, 1.0),
        "refitted linear head": (again, temperature),
    }
    if images <= _MOST_AVERAGED:
        heads |= {name: (head, 1.0) for name, head in averaged_heads(task, seed).items()}
    heads |= {
        _NOT_REFITTED: before,
        AUTO: (again, temperature) if is_refitted else before,
    }
    test = labelled(of_known(data.test))
    return {name: _figures(*head, test) for name, head in heads.items()}


def _some(rows: NDArray[np.int64]) -> NDArray[np.int64]:
    return rows[: max(round(_VALIDATION * len(rows)), int(len(rows) > 1))]


def _figures(
    head: keras.Model, temperature: float, test: LabelledEmbeddings
) -> Mapping[str, float]:
    logits = head.predict(test.embeddings, batch_size=1024, verbose=0) / temperature
    bins = calibration_bins(test.classes, softmax(logits, axis=1))
    return {
        "accuracy": float((logits.argmax(axis=1) == test.classes).mean()),
        "log loss": log_loss(logits, test.classes),
        "ECE": calibration_error(bins),
    }


if __name__ == "__main__":
    main()
