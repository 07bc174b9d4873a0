"""Is a fine-tuned network better for learning from the validation images, too, in the end?

    ./dev bench strategies/network_refit --tasks ../shared/data/clothing ../shared/data/signdigits

A training chooses its best epoch by the validation images, and goes on from there with them, for
some epochs of which the last one counts, or is made once more from the start with all images, for
as many epochs as were best. One arm goes on with the training images alone, so that what more
epochs do is told from what more images do. A fifth of the labelled images validates. What was
measured is kept in the cache folder, so that a run that was broken off goes on.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import keras
import numpy as np

from benchmarks.search.small_task import SmallTask, first_of_each, split_files
from benchmarks.strategies.by_itself import tested
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.tables import interval
from benchmarks.strategies.top_tuning import prepared_backbone
from models.head.evidence import answers_of
from models.search.prepared_backbone import PreparedBackbone
from models.training.further_images import FurtherImages
from models.training.network_refit import EPOCHS
from models.training.training_settings import TrainingSettings
from models.training.training_task import TrainingTask, with_head

_TEST, _CLASSES = 600, 20
_VALIDATES: Final = 0.2
_LEAST: Final = 1e-7
_MORE: Final = (3, EPOCHS, 8)
_FIRST: Final = "fine-tuned"
_AGAIN: Final = "made once more, with all images"
_CONTROL: Final = f"gone on with for {EPOCHS} epochs, training images and one more"

Found = Mapping[str, Any]


def main() -> None:
    """Prints a table in Markdown for each number of images."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="+", required=True, type=Path, help="labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument(
        "--images", nargs="+", type=int, default=[20, 50], help="labelled ones of each class"
    )
    parser.add_argument("--seeds", type=int, default=2, help="draws")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    kept = Kept(options.cache / "network_refit.jsonl")
    for images in options.images:
        found = []
        for seed in range(options.seeds):
            for data in options.tasks:
                key = f"{data} {options.size} {images} {seed}"
                found.append(kept.get(key, partial(measured, data, images, options.size, seed)))
        print(f"\n{images} labelled images a class, {len(found)} draws\n\n{_table(found)}")


def measured(data: Path, images: int, size: int, seed: int) -> Found:
    """Accuracy, log loss (nats) and CPU seconds of each arm, by its name."""
    with TemporaryDirectory() as scratch:
        settings = TrainingSettings()
        prepared = prepared_backbone(
            _drawn(data, images, seed), Path(scratch), size, settings, seed
        )
        return _Arms(prepared, prepared.training(settings, Path(scratch) / "training")).measured()


def _drawn(data: Path, images: int, seed: int) -> SmallTask:
    drawn = split_files(data, images, 0, _CLASSES, test=_TEST, seed=seed)
    validation, train = first_of_each(drawn.train, max(1, round(_VALIDATES * images)))
    return replace(drawn, train=train, validation=validation)


class _Arms:
    """All arms on one task; each leaves its weights in backbone and head."""

    def __init__(self, prepared: PreparedBackbone, task: TrainingTask) -> None:
        self._task = task
        self._trainer = prepared.trainer(task)
        self._mirror = prepared.mirror(task)
        self._classifier = with_head(prepared.backbone.model, prepared.head.model)

    def measured(self) -> Found:
        keras.utils.set_random_seed(self._task.seed)
        began = time.process_time()
        first = self._trainer.train(self._task, mirror=self._mirror)
        found = {_FIRST: self._judged(began)}
        for more in _MORE:
            found[_went_on(more)] = self._further(self._task, len(self._held), more)
        # One is the least there can be.
        found[_CONTROL] = self._further(self._task, 1, EPOCHS)
        best = first.phase.best_epoch + 1
        limits = {"epochs": best, "patience": best}
        anew = replace(self._task, settings=self._task.settings.model_copy(update=limits))
        found[_AGAIN] = self._further(anew, len(self._held), None)
        return found

    @property
    def _held(self) -> Any:
        return self._task.embeddings.validation.classes

    def _further(self, task: TrainingTask, count: int, more: int | None) -> list[float]:
        """Learns from so many of the validation images too, and takes that back."""
        split = replace(task.validation, most=count)
        name = f"{count} {more}"
        began = time.process_time()
        images = FurtherImages(name, name, split, count, self._held[:count])
        assert self._trainer.train_again(task, images, more=more) is not None
        found = self._judged(began)
        self._trainer.take_back()
        return found

    def _judged(self, began: float) -> list[float]:
        seconds = time.process_time() - began
        answers, truth = tested(self._classifier, self._task)
        judged = answers_of(np.log(np.maximum(answers, _LEAST)), truth)
        return [judged.accuracy, float(np.mean(judged.losses)), seconds]


def _went_on(epochs: int) -> str:
    """Name of an arm."""
    return f"gone on with for {epochs} epochs, all images"


def _table(found: Sequence[Found]) -> str:
    lines = [
        "| arm | accuracy | gain, points [95 %] | worst | log loss | CPU seconds |",
        "|---|---|---|---|---|---|",
    ]
    firsts = np.array([each[_FIRST] for each in found])
    for arm in found[0]:
        figures = np.array([each[arm] for each in found])
        accuracy, loss, seconds = figures.mean(axis=0)
        gains = figures[:, 0] - firsts[:, 0]
        gained = "| | " if arm == _FIRST else f"| {interval(gains)} | {100 * gains.min():+.1f} "
        lines.append(f"| {arm} | {accuracy:.3f} {gained}| {loss:.3f} | {seconds:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
