"""Is fine-tuning better where it is held near what the backbone knew?

    ./dev bench strategies/towards_pretrained --tasks ../shared/data/signdigits

Arms train through `models.training`, as the product does: as it is, with L2-SP, with rates that
fall towards the bottom, and with gradual unfreezing; WiSE-FT averages the weights of the plain arm
with those that it began with. "auto" is the plain arm, or the head where that promises more.
Accuracy on test images, and on the same made grey or blurred. A task is any folder that Graft
reads. What was measured is kept in the cache folder, so that a run that was broken off goes on.
"""

import argparse
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from benchmarks.search.small_task import SmallTask, split_files
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.measurement import AUTO, Measurement
from benchmarks.strategies.shifted import shifted
from benchmarks.strategies.steered_adamw import Dials, Steering, steered
from benchmarks.strategies.tables import table
from benchmarks.strategies.top_tuning import Weights, prepared_backbone
from models.data.image_decoding import decode_and_resize
from models.head.evidence import Answers, answers_of, compare
from models.head.refit import refitted
from models.training import fine_tuning
from models.training.device import FULL_PRECISION
from models.training.mirroring import Mirror
from models.training.top_trainer import TopTrainer
from models.training.training_settings import TrainingSettings, steps_per_epoch

_VALIDATION, _TEST, _CLASSES = 120, 300, 10
_SHIFTS = ("grey", "blur")
_SHARES = (0.25, 0.5, 0.75)
"""Of the fine-tuned weights in the average."""
_BATCH = 32
_PLAIN = "fine-tuned"
_PLAINLY, _SHIFTED = "test images", "grey and blurred test images"
_IMAGES = 40


def main() -> None:
    """Prints two tables in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="+", required=True, help="folders of labelled images")
    parser.add_argument("--size", type=int, default=64, help="side in pixels")
    parser.add_argument("--images", type=int, default=_IMAGES, help="to train on, of each class")
    parser.add_argument("--epochs", type=int, default=8, help="at most")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    kept = Kept(arguments.cache / "towards_pretrained.jsonl")
    pairs: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for data in map(Path, arguments.tasks):
        for seed in range(arguments.seeds):
            key = f"{data} {arguments.size} {arguments.images} {arguments.epochs} {seed}"
            drawn = Drawn(data, seed, arguments.size, arguments.images, arguments.epochs)
            found: Mapping[str, Any] = kept.get(key, drawn.measured)
            for judged in (_PLAINLY, _SHIFTED):
                for arm in found:
                    one, plain = found[arm][judged], found[_PLAIN][judged]
                    pairs.setdefault(judged, {}).setdefault(arm, []).append((one, one - plain))
    print(table(pairs))


def near_the_weights(data: Path, size: int) -> Iterator[Measurement]:
    """Fine-tuned near what the backbone knew; judged on test images as they are."""
    name = f"fine-tuned, {_IMAGES} images a class, near the weights"
    yield Measurement(name, partial(_accuracies, data, size))


def _accuracies(data: Path, size: int, seed: int) -> Mapping[str, float]:
    found = Drawn(data, seed, size, _IMAGES, TrainingSettings().epochs).measured()
    return {arm: figures[_PLAINLY] for arm, figures in found.items()}


@dataclass(frozen=True)
class Drawn:
    """A task out of a folder.

    Attributes:
        data: the folder.
        seed: of what is drawn, and of the trainings.
        size: side in pixels.
        images: to train on, of each class.
        epochs: at most.
    """

    data: Path
    seed: int
    size: int
    images: int
    epochs: int

    def measured(self) -> dict[str, Any]:
        """What each arm comes to."""
        task = split_files(
            self.data, self.images, _VALIDATION, _CLASSES, test=_TEST, seed=self.seed
        )
        with TemporaryDirectory() as scratch:
            return Arms(self, task, Path(scratch)).measured()


class Arms:
    """All arms on one task, which share backbone, head and cached activations."""

    def __init__(self, drawn: Drawn, task: SmallTask, scratch: Path) -> None:
        """Writes the examples and fits the head on the frozen backbone."""
        self._scratch = scratch
        self._dials = Dials()
        self._settings = TrainingSettings(epochs=drawn.epochs)
        self._prepared = prepared_backbone(task, scratch, drawn.size, self._settings, drawn.seed)
        self._classifier = keras.Model(
            self._prepared.backbone.model.inputs,
            self._prepared.head.model(self._prepared.backbone.model.outputs[0]),
        )
        # Not with the weights as constants: they change from arm to arm.
        self._forward = tf.function(
            lambda images: self._classifier(images, training=False),
            input_signature=[tf.TensorSpec((None, drawn.size, drawn.size, 3), tf.float32)],
            autograph=False,
        )
        self._images = {
            kind: self._decoded([each.path.read_bytes() for each in task.test], kind)
            for kind in ("none", *_SHIFTS)
        }
        self._truth = np.array([task.labels.index(each.label) for each in task.test])
        self._held = self._decoded([each.path.read_bytes() for each in task.validation], "none")
        self._held_truth = np.array([task.labels.index(each.label) for each in task.validation])

    def measured(self) -> dict[str, Any]:
        """Accuracies of each arm."""
        found: dict[str, Any] = {}
        begun = self._weights()
        for name, steering in self._steerings():
            with patch.object(fine_tuning, "OnePassAdamW", steered(self._dials)):
                self._train(steering, self._scratch / name.replace(" ", "-"))
            found[name] = self._judged()
            if name == _PLAIN:
                trained = self._weights()
                promised = self._validated()
                self._give(begun)
                found["head on the frozen backbone"] = self._judged()
                found |= self._averaged(begun, trained, found[_PLAIN])
                self._give(begun)
                is_better = compare(promised, self._prepared.head.answers).gain > 0.0
                found[AUTO] = found[_PLAIN] if is_better else self._refitted()
            self._give(begun)
        return found

    def _steerings(self) -> Iterator[tuple[str, Steering]]:
        count = len(self._prepared.embeddings.train.classes)
        steps = steps_per_epoch(count, self._settings.batch_size)
        yield _PLAIN, Steering()
        yield "L2-SP", Steering(pull=30.0)
        yield "rates fall to a tenth", Steering(bottom_rate=0.1)
        yield "gradual unfreezing", Steering(thaw_steps=steps)

    def _train(self, steering: Steering, scratch: Path) -> None:
        task = self._prepared.training(self._settings, scratch)
        keras.utils.set_random_seed(task.seed)
        self._dials.turn(steering)
        self._trainer.train(task, mirror=self._mirror)
        shutil.rmtree(scratch, ignore_errors=True)

    @cached_property
    def _mirror(self) -> Mirror | None:
        return self._prepared.mirror(self._prepared.training(self._settings, self._scratch / "all"))

    @cached_property
    def _trainer(self) -> TopTrainer:
        task = self._prepared.training(self._settings, self._scratch / "all")
        return TopTrainer(task, self._prepared.head.model, FULL_PRECISION)

    def _averaged(
        self, begun: Weights, trained: Weights, plain: dict[str, float]
    ) -> dict[str, Any]:
        """WiSE-FT, with each share, and with the one that validation prefers."""
        self._give(trained)
        chosen, best = _PLAIN, self._validated()
        found: dict[str, Any] = {}
        for share in _SHARES:
            name = f"WiSE-FT, share {share:g}"
            self._give([(1 - share) * a + share * b for a, b in zip(begun, trained, strict=True)])
            found[name] = self._judged()
            answers = self._validated()
            if compare(answers, best).gain > 0.0:
                chosen, best = name, answers
        found["WiSE-FT, share by validation"] = {_PLAIN: plain, **found}[chosen]
        return found

    def _refitted(self) -> dict[str, float]:
        """The head as it is exported where fine-tuning does not promise more."""
        head = self._prepared.head
        head.model.set_weights(refitted(head, self._prepared.embeddings).get_weights())
        return self._judged()

    def _weights(self) -> Weights:
        return [np.array(each) for each in self._classifier.get_weights()]

    def _give(self, weights: Sequence[NDArray[Any]]) -> None:
        self._classifier.set_weights(list(weights))

    def _validated(self) -> Answers:
        return answers_of(self._logits(self._held), self._held_truth)

    def _judged(self) -> dict[str, float]:
        right = {
            kind: float((self._logits(images).argmax(axis=1) == self._truth).mean())
            for kind, images in self._images.items()
        }
        return {
            _PLAINLY: right["none"],
            _SHIFTED: float(np.mean([right[kind] for kind in _SHIFTS])),
        }

    def _logits(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        batches = range(0, len(images), _BATCH)
        parts = [np.asarray(self._forward(images[at : at + _BATCH])) for at in batches]
        return np.concatenate(parts)

    def _decoded(self, encoded: Sequence[bytes], kind: str) -> NDArray[np.float32]:
        spec = self._prepared.spec
        changed = encoded if kind == "none" else [shifted(each, kind) for each in encoded]
        return np.stack([decode_and_resize(tf.constant(each), spec).numpy() for each in changed])


if __name__ == "__main__":
    main()
