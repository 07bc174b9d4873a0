"""Some more images of the classes that a fine-tuned model knows: what to train, and at what cost?

    ./dev bench strategies/more_images --tasks ../shared/data/signdigits ../shared/data/clothing

A model is fine-tuned on a share of a task's images, as a run does it. Then the others come, as with
a night's span, and all images are learned: from pretrained weights, as ever; from that model
(`training.start: champion`); or with the backbone of that model as it is, under a head of all
images. "Before" is that model. Accuracy is on test images that nobody learned; the cost is the
processor time of a training, from decoded images to the exported model, of that from pretrained
weights. Seeds draw the images. What was measured is kept in the cache folder.
"""

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np

from benchmarks.search.small_task import SmallTask, first_of_each
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.tables import interval
from benchmarks.strategies.tuned_networks import (
    VALIDATION,
    Champion,
    drawn_images,
    kept_champion,
    right_answers,
    trained_network,
)
from models.training.train import Trained
from models.training.training_settings import TrainingSettings

_BEFORE: Final = "before"
_ANEW: Final = "pretrained"
_FROM_CHAMPION: Final = "champion"
_HEAD_ALONE: Final = "champion, head alone"
_ARMS: Final = (_FROM_CHAMPION, _HEAD_ALONE)
"""What goes on from the earlier model."""

Found = Mapping[str, Any]


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="+", required=True, type=Path, help="labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--images", type=int, default=60, help="of each class, in the end")
    parser.add_argument("--known", type=float, nargs="+", default=[0.5, 0.8, 0.95])
    parser.add_argument("--epochs", type=int, default=30, help="at most")
    parser.add_argument("--arms", nargs="*", default=list(_ARMS), choices=_ARMS)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    kept = Kept(given.cache / "more_images.jsonl")
    found: dict[str, dict[str, list[Found]]] = {}
    for seed in range(given.seeds):
        for task in given.tasks:
            for known in given.known:
                with TemporaryDirectory() as scratch:
                    drawn = Grown(
                        task, given.size, given.images, known, given.epochs, seed, Path(scratch)
                    )
                    row = found.setdefault(f"{known:.0%} known", {})
                    for arm in (_BEFORE, _ANEW, *given.arms):
                        key = f"{task.resolve()} {drawn.key} {arm}"
                        row.setdefault(arm, []).append(kept.get(key, partial(drawn.measured, arm)))
    print(table(found))


@dataclass(frozen=True)
class Grown:
    """A model of a part of the images, and then all of them.

    Attributes:
        data: folder of labelled images.
        size: side in pixels.
        images: of each class, to train and to validate on.
        known: share of them that the model has learned from or was validated on.
        epochs: at most.
        seed: of what is drawn.
        scratch: folder for all files.
    """

    data: Path
    size: int
    images: int
    known: float
    epochs: int
    seed: int
    scratch: Path

    @property
    def key(self) -> str:
        """Name of the draw."""
        return f"{self.size} {self.images} {self.known} {self.epochs} {self.seed}"

    @cached_property
    def whole(self) -> SmallTask:
        """All images."""
        return drawn_images(self.data, self.images, self.seed)

    @cached_property
    def champion(self) -> tuple[Champion, float]:
        """The model of the images that are known, and its accuracy."""
        held = round(VALIDATION * self.images)
        train, _ = first_of_each(self.whole.train, round(self.known * (self.images - held)))
        validation, _ = first_of_each(self.whole.validation, max(1, round(self.known * held)))
        part = SmallTask(self.whole.labels, train, validation, self.whole.test)
        trained = self._trained(part, self.scratch / "champion")
        file = self.scratch / "champion.keras"
        return kept_champion(trained, part.labels, file), self._accuracy(trained)

    def measured(self, arm: str) -> Found:
        """What an arm comes to, and what it costs in seconds of processor time."""
        champion, before = self.champion
        if arm == _BEFORE:
            return {"accuracy": before, "seconds": 0.0, "exported": "", "epochs": 0}
        with TemporaryDirectory(dir=self.scratch) as folder:
            began = time.process_time()
            trained = self._trained(
                self.whole,
                Path(folder) / "run",
                champion=None if arm == _ANEW else champion,
                strategy="feature_extraction" if arm == _HEAD_ALONE else "fine_tune",
            )
            seconds = time.process_time() - began
        record = trained.record
        return {
            "accuracy": self._accuracy(trained),
            "seconds": seconds,
            "exported": str(record.exported),
            "epochs": sum(len(phase.epochs) for phase in record.phases),
        }

    def _trained(
        self,
        task: SmallTask,
        folder: Path,
        *,
        champion: Champion | None = None,
        strategy: Any = "fine_tune",
    ) -> Trained:
        settings = TrainingSettings(strategy=strategy, epochs=self.epochs)
        return trained_network(task, folder, self.size, settings, self.seed, champion)

    def _accuracy(self, trained: Trained) -> float:
        task = self.whole
        return float(right_answers(trained.model, task.labels, task.test, self.size).mean())


def table(found: Mapping[str, Mapping[str, list[Found]]]) -> str:
    """A row for each share and arm."""
    lines = [
        f"| known | trained | accuracy | over {_ANEW}, points [95 %] | cost | epochs | exported |",
        "|---|---|---|---|---|---|---|",
    ]
    for situation, arms in found.items():
        anew = arms[_ANEW]
        for arm, draws in arms.items():
            accuracy = np.array([each["accuracy"] for each in draws])
            gains = accuracy - [each["accuracy"] for each in anew]
            cost = sum(each["seconds"] for each in draws) / sum(each["seconds"] for each in anew)
            epochs = np.mean([each["epochs"] for each in draws])
            exported = ", ".join(str(each["exported"]) for each in draws)
            lines.append(
                f"| {situation} | {arm} | {accuracy.mean():.3f} | {interval(gains)} | "
                f"{cost:.2f} | {epochs:.0f} | {exported} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
