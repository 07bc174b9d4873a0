"""Is a backbone that was fine-tuned on a related set a better start than ImageNet's?

    ./dev bench strategies/progressive --tasks ../shared/data/clothing --pairs mnist digits

Each folder of `--tasks` is parted into two halves of its classes, which are related by making: one
is the source, the other the target. `--pairs` names folders, always two: source and target. The
backbone is fine-tuned on many images of the source, as the product does; then a head, and a
fine-tuning, learn the target from few images, from ImageNet's weights ("direct") and from the
source's ("chain"). "Head" is the one that the product exports, "exported" the better of it and the
fine-tuned model by validation; "better by validation" takes what is exported from the start whose
linear head promises more on the validation images, "by cross-validation" on all labelled ones. What
was measured is kept in the cache folder, so that a run that was broken off goes on.
"""

import argparse
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.search.small_task import LabelledFile, SmallTask, split_files, write_examples
from benchmarks.strategies.run import Kept, table
from models.backbone_choice.backbone_choice import Candidate
from models.data.example_schema import TRAIN, VALIDATION
from models.data.image_decoding import decode_and_resize
from models.head.evidence import Answers, answers_of, compare
from models.head.out_of_fold import out_of_fold_probabilities
from models.head.refit import refitted
from models.search.prepared_backbone import PreparedBackbone
from models.search.search_task import SearchTask
from models.training.device import FULL_PRECISION
from models.training.strategies.choice import choose_head
from models.training.strategies.strategy import Situation
from models.training.top_trainer import TopTrainer
from models.training.training_settings import TrainingSettings

_BACKBONE: Final = "EfficientNetLite0"
_IMAGENET: Final = "imagenet"
_MANY, _HELD, _TEST, _CLASSES = 100, 20, 600, 100
"""Images a class of a source to train and to validate on; images to judge on; classes at most."""
_VALIDATION: Final = 0.15
_BATCH: Final = 64
_ARMS: Final = ("linear head", "head", "fine-tuned", "exported")

Rows = dict[str, list[tuple[float, float]]]
"""Of each arm, the accuracies and the gains over the direct model that is exported."""


@dataclass(frozen=True)
class Part:
    """A folder, or a half of its classes.

    Attributes:
        data: the folder.
        half: 0 or 1, the classes with even or with odd places; None for all.
    """

    data: Path
    half: int | None = None

    def __str__(self) -> str:
        return self.data.name if self.half is None else f"{self.data.name}, half {self.half + 1}"

    def drawn(self, train: int, validation: int, test: int, seed: int) -> SmallTask:
        """Draws so many images of each class to train and to validate on."""
        classes = len(split_files(self.data, 1, 0, _CLASSES).labels)
        task = split_files(
            self.data, train, validation * classes, _CLASSES, test=test * classes, seed=seed
        )
        if self.half is None:
            return task
        labels = task.labels[self.half :: 2]

        def own(files: tuple[LabelledFile, ...]) -> tuple[LabelledFile, ...]:
            return tuple(each for each in files if each.label in labels)

        return SmallTask(labels, own(task.train), own(task.validation), own(task.test))


@dataclass(frozen=True)
class Start:
    """Measures what a start comes to on a target.

    Attributes:
        weights: "imagenet", or the file of a backbone.
        size: side in pixels.
        epochs: at most.
        seed: of the trainings.
    """

    weights: str
    size: int
    epochs: int
    seed: int = 0

    def measured(self, target: Part, images: int) -> dict[str, Any]:
        """Test accuracy of head and fine-tuning, and what the heads answer to validation images."""
        held = max(1, round(_VALIDATION * images))
        task = target.drawn(images - held, held, _TEST // 10, self.seed)
        with TemporaryDirectory() as scratch:
            return Training(self, task, Path(scratch)).measured()

    def write_backbone(self, source: Part, file: Path) -> dict[str, Any]:
        """Fine-tunes on many images of a source, and writes the backbone's weights."""
        task = source.drawn(_MANY, _HELD, _TEST // 10, self.seed)
        with TemporaryDirectory() as scratch:
            training = Training(self, task, Path(scratch))
            found = training.measured()
            partial_file = file.with_name(f"partial-{file.name}")
            training.prepared.backbone.trunk.save_weights(partial_file)
            partial_file.rename(file)
        return found


class Training:
    """A head and a fine-tuning on one task, from one start."""

    def __init__(self, start: Start, task: SmallTask, scratch: Path) -> None:
        """Writes the examples and builds the backbone."""
        write_examples(scratch / "examples", {TRAIN: task.train, VALIDATION: task.validation})
        candidate = Candidate(backbone=_BACKBONE, weights=start.weights, image_size=start.size)
        searched = SearchTask(
            examples_uri=str(scratch / "examples"),
            labels=task.labels,
            candidates=(candidate,),
            resize="stretch",
            features="all",
            training=TrainingSettings(epochs=start.epochs),
            seed=start.seed,
            embeddings=str(scratch / "embeddings"),
            activations=str(scratch / "activations"),
        )
        self._task = task
        self._scratch = scratch
        self._settings = searched.training
        self.prepared = PreparedBackbone(searched, candidate, scratch / "activations")

    def measured(self) -> dict[str, Any]:
        """Afterwards the backbone is the fine-tuned one."""
        frozen = self.prepared.head
        training = self.prepared.training(self._settings, self._scratch / "training")
        situation = Situation(training.embeddings, training.settings)
        head = choose_head(frozen.model, frozen.answers, situation)
        model = head.model
        if model is frozen.model:
            model = refitted(frozen, training.embeddings, training.settings.class_weights)
        found: dict[str, Any] = {
            "linear head": self._accuracy(frozen.model),
            "head": self._accuracy(model),
            "validation": _told(frozen.answers),
            "cross-validation": _told(self._folded()),
        }
        keras.utils.set_random_seed(training.seed)
        top = TopTrainer(training, self.prepared.head.model, FULL_PRECISION).train(training)
        shutil.rmtree(training.scratch, ignore_errors=True)
        found["fine-tuned"] = self._accuracy(frozen.model)
        kept = compare(top.answers, head.answers).gain > 0.0
        return found | {"exported": found["fine-tuned" if kept else "head"]}

    def _folded(self) -> Answers:
        """To training and validation images, of heads that were fitted without them."""
        labelled, classes = self.prepared.embeddings.labelled, len(self._task.labels)
        found = out_of_fold_probabilities(labelled, classes)
        return answers_of(np.log(found + 1e-9), labelled.classes)

    @cached_property
    def _images(self) -> NDArray[np.float32]:
        encoded = [each.path.read_bytes() for each in self._task.test]
        return np.stack(
            [decode_and_resize(tf.constant(each), self.prepared.spec) for each in encoded]
        )

    @cached_property
    def _features(self) -> Any:
        model = self.prepared.backbone.model
        return tf.function(
            lambda images: model(images, training=False),
            input_signature=[tf.TensorSpec((None, *self._images.shape[1:]), tf.float32)],
            autograph=False,
        )

    def _accuracy(self, head: keras.Model) -> float:
        """Of a head, on what the backbone makes of the test images now."""
        truth = np.array([self._task.labels.index(each.label) for each in self._task.test])
        parts = range(0, len(truth), _BATCH)
        features = [np.asarray(self._features(self._images[at : at + _BATCH])) for at in parts]
        logits = head.predict(np.concatenate(features), batch_size=1024, verbose=0)
        return float((logits.argmax(axis=1) == truth).mean())


def main() -> None:
    """Prints a table in Markdown for each pair, and one for all related ones."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="*", default=[], type=Path, help="folders to be halved")
    parser.add_argument("--pairs", nargs="*", default=[], type=Path, help="SOURCE TARGET …")
    parser.add_argument("--size", type=int, default=64, help="side in pixels")
    parser.add_argument("--images", type=int, nargs="+", default=[20, 50], help="of a class")
    parser.add_argument("--epochs", type=int, default=10, help="at most")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    arguments = parser.parse_args()
    if len(arguments.pairs) % 2:
        parser.error("--pairs: expected two folders for each pair, source and target")
    arguments.cache.mkdir(parents=True, exist_ok=True)
    kept = Kept(arguments.cache / "progressive.jsonl")
    base = Start(_IMAGENET, arguments.size, arguments.epochs)
    figures: dict[str, Rows] = defaultdict(lambda: defaultdict(list))
    for seed in range(arguments.seeds):
        for source, target in _parts(arguments.tasks, arguments.pairs):
            chain = replace(base, weights=_weights(base, source, arguments.cache, kept))
            for images in arguments.images:
                found = {
                    name: kept.get(
                        f"{begun} > {target} {arguments.size} {images} {arguments.epochs} {seed}",
                        partial(replace(start, seed=seed).measured, target, images),
                    )
                    for name, begun, start in (
                        ("direct", _IMAGENET, base),
                        ("chain", str(source), chain),
                    )
                }
                _add(figures[f"{source} → {target}, {images} images a class"], found)
    print(table(figures))


def _parts(tasks: list[Path], pairs: list[Path]) -> Iterator[tuple[Part, Part]]:
    for data in tasks:
        yield Part(data, 0), Part(data, 1)
    for source, target in zip(pairs[::2], pairs[1::2], strict=True):
        yield Part(source), Part(target)


def _weights(base: Start, source: Part, cache: Path, kept: Kept) -> str:
    """The file of a source's backbone, which is fine-tuned where there is none."""
    name = f"{source} {base.size} {base.epochs}"
    file = cache / f"{name}.weights.h5"
    if not file.exists():
        kept.get(f"source {name}", partial(base.write_backbone, source, file))
    return str(file)


def _add(rows: Rows, found: Mapping[str, Mapping[str, Any]]) -> None:
    direct, chain = found["direct"], found["chain"]
    arms = {f"{name}, {arm}": found[name][arm] for arm in _ARMS for name in found}
    for judge in ("validation", "cross-validation"):
        better = compare(_answers(chain[judge]), _answers(direct[judge])).gain > 0.0
        arms[f"better by {judge}, exported"] = found["chain" if better else "direct"]["exported"]
    for arm, accuracy in arms.items():
        rows[arm].append((accuracy, accuracy - direct["exported"]))


def _told(answers: Answers) -> dict[str, Any]:
    losses = np.round(answers.losses, 4).tolist()
    return {"right": answers.right.astype(int).tolist(), "losses": losses}


def _answers(told: Mapping[str, Any]) -> Answers:
    return Answers(np.array(told["right"], bool), np.array(told["losses"]))


if __name__ == "__main__":
    main()
