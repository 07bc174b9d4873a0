"""What does a fine-tuned model still know of its classes after it learned new ones, with replay?

    ./dev bench strategies/tuned_continual --tasks ../shared/data/signdigits ../shared/data/clothing

A model is fine-tuned on most classes of a folder (the old ones), as a run does it. Then the others
come, with some images of each old class (`data.replay`), and it is fine-tuned again: from that
model ("champion", what `training.start: auto` does) or from pretrained weights; "head alone" is the
champion's backbone left as it is. "Joint" has all old images, and begins from pretrained weights.
Accuracy is over all classes, on test images of the old and of the new ones; forgotten is what the
old model, asked among its own classes, has right and the later one has not. Seeds draw which
classes are new, and the images. What was measured is kept in the cache folder, so that a run that
was broken off goes on.
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.search.small_task import LabelledFile, SmallTask
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.tuned_networks import (
    VALIDATION,
    Champion,
    drawn_images,
    kept_champion,
    right_answers,
    trained_network,
)
from models.metrics import paired_drop
from models.training.train import Trained
from models.training.training_settings import TrainingSettings

_NEW: Final = 0.3
_JOINT: Final = "joint"

Found = Mapping[str, Any]


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="+", required=True, type=Path, help="labelled images")
    parser.add_argument("--size", type=int, default=64, help="side in pixels")
    parser.add_argument("--images", type=int, default=50, help="of each class")
    parser.add_argument("--replay", type=int, nargs="+", default=[20], help="of each old class")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    given = parser.parse_args()
    given.cache.mkdir(parents=True, exist_ok=True)
    kept = Kept(given.cache / "tuned_continual.jsonl")
    figures: dict[str, list[Found]] = {}
    for task in given.tasks:
        for seed in range(given.seeds):
            with TemporaryDirectory() as scratch:
                span = Span(task, given.size, given.images, given.epochs, seed, Path(scratch))
                for arm in arms(given.replay):
                    key = f"{task} {given.size} {given.images} {given.epochs} {arm} {seed}"
                    figures.setdefault(arm.name, []).append(
                        kept.get(key, partial(span.measured, arm))
                    )
    print(table(figures))


@dataclass(frozen=True)
class Arm:
    """How the later model is trained.

    Attributes:
        name: of it.
        replayed: images of each old class; None for all.
        begins: from the earlier model.
        is_tuned: its backbone, too.
    """

    name: str
    replayed: int | None
    begins: bool = False
    is_tuned: bool = True


def arms(replayed: list[int]) -> Iterator[Arm]:
    """All of them, the joint training first."""
    yield Arm(_JOINT, None)
    for count in replayed:
        yield Arm(f"replay {count}: champion", count, begins=True)
        yield Arm(f"replay {count}: champion, head alone", count, begins=True, is_tuned=False)
        yield Arm(f"replay {count}: pretrained", count)


@dataclass(frozen=True)
class Span:
    """A model of the old classes, and images of others.

    Attributes:
        data: folder of labelled images.
        size: side in pixels.
        images: of each class, to train and to validate on.
        epochs: at most.
        seed: of what is drawn.
        scratch: folder for all files.
    """

    data: Path
    size: int
    images: int
    epochs: int
    seed: int
    scratch: Path

    @cached_property
    def whole(self) -> SmallTask:
        """All classes, with all images."""
        return drawn_images(self.data, self.images, self.seed)

    @cached_property
    def old(self) -> frozenset[str]:
        """The classes that come first."""
        labels = np.random.default_rng(self.seed).permutation(self.whole.labels)
        return frozenset(map(str, labels[max(1, round(_NEW * len(labels))) :]))

    @cached_property
    def champion(self) -> tuple[Champion, NDArray[np.bool_]]:
        """The earlier model, and which old test images it answers rightly."""
        labels = tuple(each for each in self.whole.labels if each in self.old)
        parts = self.whole.train, self.whole.validation, self.whole.test
        known = SmallTask(labels, *map(self._known, parts))
        trained = self._trained(known, Arm("champion", None), self.scratch / "champion")
        right = right_answers(trained.model, labels, known.test, self.size)
        return kept_champion(trained, labels, self.scratch / "champion.keras"), right

    def measured(self, arm: Arm) -> Found:
        """What an arm comes to."""
        _, before = self.champion
        train_files = self._drawn(self.whole.train, arm, 1 - VALIDATION)
        held = self._drawn(self.whole.validation, arm, VALIDATION)
        task = SmallTask(self.whole.labels, train_files, held, self.whole.test)
        with TemporaryDirectory(dir=self.scratch) as folder:
            trained = self._trained(task, arm, Path(folder))
        right = right_answers(trained.model, task.labels, task.test, self.size)
        is_old = np.array([each.label in self.old for each in task.test])
        lost = paired_drop(before, right[is_old])
        return {
            "old": float(right[is_old].mean()),
            "new": float(right[~is_old].mean()),
            "all": float(right.mean()),
            "before": float(before.mean()),
            "forgotten": lost.drop,
            "exported": trained.record.exported,
        }

    def _known(self, files: tuple[LabelledFile, ...]) -> tuple[LabelledFile, ...]:
        return tuple(each for each in files if each.label in self.old)

    def _drawn(
        self, files: tuple[LabelledFile, ...], arm: Arm, share: float
    ) -> tuple[LabelledFile, ...]:
        """All images of new classes, and so many of old ones, in the shares of the splits."""
        if arm.replayed is None:
            return files
        most = max(1, round(share * arm.replayed))
        taken: dict[str, int] = {}
        drawn = []
        for each in files:
            taken[each.label] = taken.get(each.label, 0) + 1
            if each.label not in self.old or taken[each.label] <= most:
                drawn.append(each)
        return tuple(drawn)

    def _trained(self, task: SmallTask, arm: Arm, folder: Path) -> Trained:
        strategy = "fine_tune" if arm.is_tuned else "feature_extraction"
        settings = TrainingSettings(strategy=strategy, epochs=self.epochs)
        settings = settings.for_images(has_replayed=arm.replayed is not None)
        champion = self.champion[0] if arm.begins else None
        return trained_network(task, folder, self.size, settings, self.seed, champion)


def table(figures: Mapping[str, list[Found]]) -> str:
    """A row for each arm."""
    lines = [
        "| arm | old classes | new classes | all | forgotten, points | exported |",
        "|---|---|---|---|---|---|",
    ]
    for arm, found in figures.items():
        old, new, whole, lost = (
            float(np.mean([each[name] for each in found]))
            for name in ("old", "new", "all", "forgotten")
        )
        exported = ", ".join(str(each["exported"]) for each in found)
        lines.append(
            f"| {arm} | {old:.3f} | {new:.3f} | {whole:.3f} | {100 * lost:+.1f} | {exported} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
