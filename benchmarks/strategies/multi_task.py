"""Do two label columns of the same images gain by one trunk with a head each?

    ./dev bench strategies/multi_task --tasks ../shared/data/clothing --manifests letters.csv slant

Of a folder the first column is the class, and the second what was done to the image: nothing, blur,
noise, or too little light, drawn anew for each image, which is a fact as independent of the class
as a check of quality is. `--manifests` names a manifest and the column beside its label; where the
class determines that, the two are related by making.

Arms: a fine-tuned model for each column; one trunk, fine-tuned for the class alone, with a linear
head for the second column fitted to what it gives in the end (`data.further_labels`); one trunk
with both heads, whose losses are added; and the same with the losses weighed by a learned
uncertainty of each (A. Kendall et al., "Multi-Task Learning Using Uncertainty to Weigh Losses for
Scene Geometry and Semantics", CVPR 2018). All see the same images. CPU seconds are those of the
trainings with TensorFlow's tracing, without the embedding by the frozen trunk; "ms to serve" is CPU
time for both answers to an image, in batches of 32, of two models twice that of one. What was
measured is kept in the cache folder, so that a run that was broken off goes on.
"""

import argparse
import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.search.small_task import LabelledFile, SmallTask, split_files
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.measurement import AUTO, Measurement
from benchmarks.strategies.shifted import shifted
from benchmarks.strategies.tables import interval
from benchmarks.strategies.top_tuning import (
    Floats,
    Lesson,
    Loss,
    TopTuning,
    prepared_backbone,
)
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.listing import list_source, resolve
from models.head.frozen_head import FrozenHead, fit_frozen_head
from models.head.head_model import build_head
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.inference import compiled_forward
from models.search.prepared_backbone import PreparedBackbone
from models.training.training_settings import TrainingSettings

_VALIDATION, _TEST, _CLASSES = 120, 400, 20
_FAULTS: Final = ("none", "blur", "noise", "dark")
_APART: Final = "a model for each column"
_AFTERWARDS: Final = "one trunk tuned for the class, a head afterwards"
_IMAGES, _EPOCHS = 25, 12
_NEVER: Final = -1e9
"""Logit of a class of the other column."""
_STEP: Final = 100.0
"""Steps of a log variance, beside those of a weight: it has to move by one in some dozen steps."""
_BATCH, _BATCHES = 32, 20

Classes = NDArray[np.integer]
Found = Mapping[str, Any]


def main() -> None:
    """Prints two tables in Markdown, of all data and of each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="*", default=[], type=Path, help="labelled images")
    parser.add_argument(
        "--manifests", nargs=2, action="append", default=[], metavar=("FILE", "COLUMN")
    )
    parser.add_argument("--size", type=int, default=64, help="side in pixels")
    parser.add_argument("--images", type=int, default=_IMAGES, help="to train on, of each class")
    parser.add_argument("--epochs", type=int, default=_EPOCHS, help="at most")
    parser.add_argument("--seeds", type=int, default=3, help="draws")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    kept = Kept(options.cache / "multi_task.jsonl")
    sources = [(data, "") for data in options.tasks]
    sources += [(Path(file), column) for file, column in options.manifests]
    found: dict[str, list[Found]] = {}
    for seed in range(options.seeds):
        for data, column in sources:
            draw = Draw(data, column, seed, options.size, options.images)
            measure = partial(draw.measured, options.epochs)
            measured = kept.get(f"{draw} {options.size} {options.epochs} {seed}", measure)
            found.setdefault(str(draw), []).append(measured)
    print(_table({"all": [each for draws in found.values() for each in draws], **found}))


def two_columns(data: Path, size: int) -> Iterator[Measurement]:
    """The class, and what was done to the image; accuracies are the mean of both."""
    yield Measurement("fine-tuned, two label columns", partial(_accuracies, data, size))


def _accuracies(data: Path, size: int, seed: int) -> Mapping[str, float]:
    found = Draw(data, "", seed, size, _IMAGES).measured(_EPOCHS)
    arms = {name: float(np.mean(figures["columns"])) for name, figures in found.items()}
    return {**arms, AUTO: arms[_AFTERWARDS]}


@dataclass(frozen=True)
class Draw:
    """A task with two columns.

    Attributes:
        data: a folder, or a manifest.
        column: of the manifest, beside its label; empty for what is done to the images.
        seed: of what is drawn, and of the trainings.
        size: side in pixels.
        images: to train on, of each class.
    """

    data: Path
    column: str
    seed: int
    size: int
    images: int

    def __str__(self) -> str:
        return f"{self.data.stem}, class and {self.column or 'fault'}, {self.images} a class"

    def measured(self, epochs: int) -> Found:
        """What each arm comes to."""
        task = split_files(
            self.data, self.images, _VALIDATION, _CLASSES, test=_TEST, seed=self.seed
        )
        with TemporaryDirectory() as folder:
            scratch = Path(folder)
            if self.column:
                second = _of_manifest(self.data, self.column)
            else:
                task, second = _with_faults(task, self.seed, scratch)
            first = {file.path: file.label for file in task.every}
            columns = [_Column.of(task, labels) for labels in (first, second)]
            settings = TrainingSettings(epochs=epochs)
            prepared = prepared_backbone(task, scratch, self.size, settings, self.seed)
            return _Arms(columns, prepared, settings, scratch).measured()


def _of_manifest(file: Path, column: str) -> dict[Path, str]:
    """What a column says of each image."""
    listing = list_source(resolve(str(file))[-1].path, IngestSettings(), (column,))
    return {Path(each.path): each.slices[0] for each in listing.files}


def _with_faults(task: SmallTask, seed: int, scratch: Path) -> tuple[SmallTask, dict[Path, str]]:
    """The same images with a fault each, and which one."""
    draw = random.Random(seed)
    faults: dict[Path, str] = {}

    def changed(files: Sequence[LabelledFile]) -> tuple[LabelledFile, ...]:
        found = []
        for file in files:
            fault = draw.choice(_FAULTS)
            target = scratch / f"{len(faults):05}.png"
            target.write_bytes(shifted(file.path.read_bytes(), fault))
            faults[target] = fault
            found.append(LabelledFile(file.label, target))
        return tuple(found)

    return SmallTask(task.labels, *map(changed, (task.train, task.validation, task.test))), faults


@dataclass(frozen=True)
class _Column:
    """What a column says of the images.

    Attributes:
        count: number of its classes, k.
        train: class of each training image.
        validation: class of each validation image.
        test: class of each test image.
    """

    count: int
    train: Classes
    validation: Classes
    test: Classes

    @classmethod
    def of(cls, task: SmallTask, label: Mapping[Path, str]) -> "_Column":
        labels = sorted({label[file.path] for file in task.every})
        splits = (
            np.array([labels.index(label[file.path]) for file in files])
            for files in (task.train, task.validation, task.test)
        )
        return cls(len(labels), *splits)

    @property
    def places(self) -> Classes:
        """Numbers of the training images."""
        return np.arange(len(self.train))

    @property
    def targets(self) -> Floats:
        """Of the training images, [n, k]."""
        return np.eye(self.count, dtype=np.float32)[self.train]


class _Arms:
    """All arms on one task, which share the frozen half of the backbone."""

    def __init__(
        self,
        columns: Sequence[_Column],
        prepared: PreparedBackbone,
        settings: TrainingSettings,
        scratch: Path,
    ) -> None:
        self._columns = columns
        self._embeddings = prepared.embeddings
        self._backbone = prepared.backbone.model
        self._tuning = TopTuning(prepared, settings, scratch)

    def measured(self) -> Found:
        """Of each arm: accuracy in each column, CPU seconds to train, and ms to serve."""
        heads = [self._head(column) for column in self._columns]
        frozen, apart, seconds, first = [], [], 0.0, 0.0
        afterwards: list[float] = []
        for column, head in zip(self._columns, heads, strict=True):
            lesson = Lesson(column.places, column.targets, column.validation)
            before, outputs, took = self._tuned(head.model, lesson)
            frozen.append(_accuracy(before, column))
            apart.append(_accuracy(outputs, column))
            seconds += took
            if not afterwards:
                second, fitting = self._fitted_afterwards(self._columns[1])
                afterwards, first = [apart[0], second], took + fitting
        # A head for each arm: a training changes its own.
        joined, with_variances = _joined(heads), _with_variances(_joined(heads))
        whole = keras.Model(self._backbone.inputs, joined(self._backbone.outputs[0]))
        serving = _milliseconds(whole)
        found = {
            _APART: _figures(apart, seconds, 2 * serving),
            _AFTERWARDS: _figures(afterwards, first, serving),
        }
        for name, head, loss in (
            ("one trunk, losses added", joined, self._added),
            ("one trunk, losses weighed by uncertainty", with_variances, self._weighed),
        ):
            _, outputs, took = self._tuned(head, self._lesson(), loss)
            accuracies = list(map(_accuracy, self._parted(outputs), self._columns))
            found[name] = _figures(accuracies, took, serving)
        found["two linear heads, frozen trunk"] = _figures(frozen, 0.0, serving)
        return found

    def _head(self, column: _Column) -> FrozenHead:
        """The linear head for a column, on the frozen backbone."""
        train = LabelledEmbeddings(self._embeddings.train.embeddings, column.train)
        held = LabelledEmbeddings(self._embeddings.validation.embeddings, column.validation)
        return fit_frozen_head(HeadTask(train, held, column.count))

    def _fitted_afterwards(self, column: _Column) -> tuple[float, float]:
        """Accuracy of a linear head on the trunk as it was tuned last, and CPU seconds."""
        began = time.process_time()
        train, validation, test = self._tuning.features()
        task = HeadTask(
            LabelledEmbeddings(train, column.train),
            LabelledEmbeddings(validation, column.validation),
            column.count,
        )
        answers = fit_frozen_head(task).solution.probabilities(test)
        return _accuracy(answers, column), time.process_time() - began

    def _tuned(
        self, head: keras.Model, lesson: Lesson, loss: Loss | None = None
    ) -> tuple[Floats, Floats, float]:
        """Outputs for test images before and after, and CPU seconds."""
        arm = self._tuning.arm(head, loss)
        before = self._tuning.tested(arm)
        began = time.process_time()
        self._tuning.tune(arm, lesson)
        return before, self._tuning.tested(arm), time.process_time() - began

    def _lesson(self) -> Lesson:
        """Both columns at once: examined are all images in the one, then all in the other."""
        first, second = self._columns
        held = np.concatenate([first.validation, first.count + second.validation])
        targets = np.hstack([first.targets, second.targets])
        return Lesson(first.places, targets, held, self._examined)

    def _parted(self, outputs: Any) -> tuple[Any, Any]:
        first, second = self._columns
        return outputs[:, : first.count], outputs[:, first.count : first.count + second.count]

    def _examined(self, outputs: Floats) -> Floats:
        first, second = self._parted(outputs)
        return np.concatenate(
            [
                np.pad(first, ((0, 0), (0, second.shape[1])), constant_values=_NEVER),
                np.pad(second, ((0, 0), (first.shape[1], 0)), constant_values=_NEVER),
            ]
        )

    def _losses(self, targets: Any, outputs: Any) -> list[Any]:
        pairs = zip(self._parted(targets), self._parted(outputs), strict=True)
        return [
            keras.ops.categorical_crossentropy(one, other, from_logits=True) for one, other in pairs
        ]

    def _added(self, targets: Any, outputs: Any) -> Any:
        return sum(self._losses(targets, outputs))

    def _weighed(self, targets: Any, outputs: Any) -> Any:
        """Each loss over the variance of its column, and half the logarithm of that."""
        return sum(
            keras.ops.exp(-outputs[:, place - 2]) * loss + outputs[:, place - 2] / 2
            for place, loss in enumerate(self._losses(targets, outputs))
        )


def _joined(heads: Sequence[FrozenHead]) -> keras.Model:
    """One head with the logits of several side by side, as they are on the frozen backbone."""
    solutions = [head.solution for head in heads]
    kernel = np.hstack([each.linear.kernel for each in solutions])
    first = solutions[0]
    model = build_head(*kernel.shape, mean=first.mean, variance=first.variance)
    bias = np.hstack([each.linear.bias for each in solutions])
    model.get_layer("logits").set_weights([kernel, bias])
    return model


def _with_variances(head: keras.Model) -> keras.Model:
    """A head that says behind its logits the log variance of each column, too."""
    return keras.Model(head.inputs, _LogVariances()(head.outputs[0]))


class _LogVariances(keras.layers.Layer):
    """Two numbers, the same for all images, behind what it is given."""

    def build(self, input_shape: Any) -> None:
        del input_shape
        # By this name the optimizer lets it be, where it makes other weights decay.
        self._values = self.add_weight(name="bias", shape=(2,), initializer="zeros")

    def call(self, inputs: Any) -> Any:
        values = keras.ops.broadcast_to(_STEP * self._values, (keras.ops.shape(inputs)[0], 2))
        return keras.ops.concatenate([inputs, values], axis=1)


def _milliseconds(model: keras.Model) -> float:
    """CPU time of an answer in a batch."""
    forward = compiled_forward(model)
    images = np.random.default_rng(0).uniform(0, 255, (_BATCH, *model.input_shape[1:]))
    batch = images.astype(np.float32)
    forward(batch)
    began = time.process_time()
    for _ in range(_BATCHES):
        forward(batch)
    return 1000 * (time.process_time() - began) / (_BATCH * _BATCHES)


def _accuracy(logits: Floats, column: _Column) -> float:
    return float((logits.argmax(axis=1) == column.test).mean())


def _figures(accuracies: Sequence[float], seconds: float, milliseconds: float) -> Found:
    return {"columns": list(accuracies), "seconds": seconds, "ms": milliseconds}


def _table(found: Mapping[str, Sequence[Found]]) -> str:
    lines = [
        "| data | arm | class | second | gain of both, points [95 %] | gain of the class | "
        "gain of the second | worst of either | CPU seconds | ms to serve |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for data, draws in found.items():
        for arm in draws[0]:
            both = np.array([each[arm]["columns"] for each in draws])
            gains = both - np.array([each[_APART]["columns"] for each in draws])
            seconds, serving = (
                np.mean([each[arm][key] for each in draws]) for key in ("seconds", "ms")
            )
            lines.append(
                f"| {data} | {arm} | {both[:, 0].mean():.3f} | {both[:, 1].mean():.3f} | "
                f"{interval(gains.mean(axis=1))} | {interval(gains[:, 0])} | "
                f"{interval(gains[:, 1])} | {100 * gains.min():+.1f} | {seconds:.0f} | "
                f"{serving:.2f} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
