"""Which is exported of few images a class: the head on the frozen backbone, or a fine-tuned model?

    ./dev bench strategies/few_images_choice --tasks ../shared/data/clothing ../shared/data/scene15

Of each draw of a few images a class both are made, as by the product (15 of 85 images validate; the
head has learned from these too), and judged on test images. Either is chosen where the validation
images promise more of it, or the fine-tuned model only where they are so sure as the product asks
for (`models.training.train.LEAST_SURE`). "The better one" is chosen on the test images themselves,
which nothing can reach. What was measured is kept in the cache folder, so that a run that was
broken off goes on.
"""

import argparse
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.search.small_task import split_files
from benchmarks.strategies.run import Kept, interval
from benchmarks.strategies.top_tuning import Floats, Lesson, TopTuning, prepared_backbone
from models.head.evidence import answers_of, compare
from models.head.refit import refitted
from models.training.strategies.choice import choose_head
from models.training.strategies.few_shot import FewShot
from models.training.strategies.strategy import Situation
from models.training.train import LEAST_SURE
from models.training.training_settings import TrainingSettings

_TEST, _CLASSES = 400, 20
_VALIDATION: Final = 0.15 / 0.85
_BEFORE: Final = "what promises more"
_AFTER: Final = "fine-tuned where that is sure"

Found = Mapping[str, float]


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="+", required=True, type=Path, help="labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--images", type=int, nargs="+", default=[10, 20], help="of each class")
    parser.add_argument("--epochs", type=int, default=20, help="at most")
    parser.add_argument("--seeds", type=int, default=3, help="draws")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    kept = Kept(options.cache / "few_images_choice.jsonl")
    found: dict[str, list[Found]] = {}
    for seed, images, data in product(range(options.seeds), options.images, options.tasks):
        key = f"{data.name} {options.size} {images} {options.epochs} {seed}"
        measure = partial(_measured, data, options.size, images, options.epochs, seed)
        draw = kept.get(key, measure)
        for row in (f"{images} of {data.name}", f"{images} of all"):
            found.setdefault(row, []).append(draw)
    names = next(iter(found.values()))[0]
    print(f"| images a class | draws | {' | '.join(names)} | gain, points [95 %] | worst |")
    print("|---" * (len(names) + 4) + "|")
    for row, draws in sorted(found.items()):
        print(f"| {row} | {len(draws)} | {_cells(draws)} |")


def _cells(draws: Sequence[Found]) -> str:
    means = [f"{np.mean([each[name] for each in draws]):.3f}" for name in draws[0]]
    gains = np.array([each[_AFTER] - each[_BEFORE] for each in draws])
    return " | ".join([*means, interval(gains), f"{100 * gains.min():+.1f}"])


def _measured(data: Path, size: int, images: int, epochs: int, seed: int) -> Found:
    settings = TrainingSettings(epochs=epochs)
    known = max(1, round(images / (1 + _VALIDATION)))
    classes = len(split_files(data, 1, 0, _CLASSES).labels)
    task = split_files(data, known, (images - known) * classes, _CLASSES, test=_TEST, seed=seed)
    with TemporaryDirectory() as scratch:
        prepared = prepared_backbone(task, Path(scratch), size, settings, seed)
        embeddings, linear = prepared.embeddings, prepared.head
        tuning = TopTuning(prepared, settings, Path(scratch))
        _, _, asked = tuning.features()
        chosen = choose_head(
            linear.model, linear.answers, Situation(embeddings, settings), (FewShot(),)
        )
        is_linear = chosen.model is linear.model
        head = refitted(linear, embeddings) if is_linear else chosen.model
        logits = head.predict(asked, verbose=0)
        arm = tuning.arm(linear.model)
        targets = np.eye(len(task.labels), dtype=np.float32)[embeddings.train.classes]
        held = embeddings.validation.classes
        tuning.tune(arm, Lesson(np.arange(len(targets)), targets, held), seed=seed)
        answers = answers_of(tuning.validated(arm), held)
        tuned = tuning.tested(arm)
    truth = np.array([task.labels.index(each.label) for each in task.test])
    right = {"head": _right(logits, truth), "fine_tuned": _right(tuned, truth)}

    sure = compare(answers, chosen.answers).confidence
    return {
        "head on the frozen backbone": right["head"],
        "fine-tuned": right["fine_tuned"],
        _BEFORE: right["fine_tuned" if sure > 0.5 else "head"],
        _AFTER: right["fine_tuned" if sure >= LEAST_SURE else "head"],
        "the better one": max(right.values()),
    }


def _right(logits: Floats, truth: NDArray[np.integer]) -> float:
    return float((logits.argmax(axis=1) == truth).mean())


if __name__ == "__main__":
    main()
