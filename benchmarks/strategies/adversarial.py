"""Does fine-tuning against a judge of domains help on another domain, beside copies that look so?

    ./dev bench strategies/adversarial --tasks ../shared/data/clothing --kinds blur cast none
    ./dev bench strategies/adversarial --pairs SOURCE TARGET

Cases are those of `strategies/target`: a folder and a change of its test images, or two folders
with the same classes. 200 images of the target are seen without labels, others are judged. The arms
without fine-tuning are the linear head and what a run with `data.target` exports. Fine-tuned are
the source alone; the source and its copies that look like the target; and the source with the
target, against a judge of domains (DANN, `domain_judge.py`) of strength 0.1 or 1. The best epoch is
chosen by validation images of the source, and where the target was seen by their copies, too. What
was measured is kept in the cache folder, so that a run that was broken off goes on.
"""

import argparse
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf

from benchmarks.search.small_task import LabelledFile, SmallTask
from benchmarks.strategies.domain_judge import both_losses, judging
from benchmarks.strategies.drawn_domains import (
    Case,
    DrawnDomains,
    cases,
    drawn_domains,
    pixels_of,
    written,
)
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.tables import interval
from benchmarks.strategies.top_tuning import (
    FURTHER,
    Floats,
    Lesson,
    Loss,
    TopTuning,
    prepared_backbone,
)
from models.data.image_decoding import ImageSpec
from models.data.image_look import find_likeness
from models.head.head_model import build_head
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.inference import compiled_forward
from models.search.prepared_backbone import PreparedBackbone
from models.training.strategies.choice import choose_head
from models.training.strategies.strategy import Situation, Target
from models.training.strategies.target_look import TargetLook
from models.training.training_settings import TrainingSettings, steps_per_epoch

_VALIDATION, _SEEN, _JUDGED, _CLASSES = 120, 200, 400, 20
_BEFORE: Final = "linear head, frozen"
_COPIES: Final = "head of `data.target`, frozen"
DANN: Final = "DANN"
"""What the names of the arms against a judge of domains begin with."""
_STRENGTHS: Final = (0.1, 1.0)
_BATCH: Final = 64

Files = tuple[LabelledFile, ...]
Found = Mapping[str, Any]


def main() -> None:
    """Prints two tables in Markdown, of groups of cases and of each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="*", default=[], type=Path, help="labelled images")
    parser.add_argument("--kinds", nargs="*", default=["blur", "cast", "none"], help="of change")
    parser.add_argument(
        "--pairs", nargs=2, action="append", default=[], type=Path, metavar=("SOURCE", "TARGET")
    )
    parser.add_argument("--size", type=int, default=64, help="side in pixels")
    parser.add_argument("--images", type=int, default=25, help="to train on, of each class")
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=2, help="draws")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    kept = Kept(options.cache / "adversarial.jsonl")
    found: dict[str, list[Found]] = {}
    for seed in range(options.seeds):
        for case in cases(options.tasks, options.kinds, options.pairs):
            key = f"{case} {options.size} {options.images} {options.epochs} {seed}"
            measure = partial(measured, case, options.size, options.images, options.epochs, seed)
            figures = kept.get(key, measure)
            for row in (case.group, str(case)):
                found.setdefault(row, []).append(figures)
    print(_table(found))


def measured(case: Case, size: int, images: int, epochs: int, seed: int) -> Found:
    """What each arm comes to on images of the target.

    Args:
        case: source and target.
        size: side in pixels.
        images: to train on, of each class.
        epochs: of each training.
        seed: of what is drawn.

    Returns:
        Of each arm `accuracy`, and CPU `seconds` of its training.
    """
    drawn = drawn_domains(case, images, seed)
    # Patience for all epochs: the judge needs time to be of use.
    settings = TrainingSettings(epochs=epochs, patience=epochs)
    keras.utils.set_random_seed(seed)
    with TemporaryDirectory() as folder:
        copied = _Copied(drawn, ImageSpec(size), Path(folder), seed)
        prepared = prepared_backbone(copied.task, Path(folder), size, settings, seed)
        return _Arms(copied, prepared, settings, Path(folder)).measured()


class _Copied:
    """A case with the copies that look like its target.

    Attributes:
        task: the source's labelled images; copies and target as further ones. Of training images
            come the source, its copies and the target, to validate on the source and its copies.
        likeness: how the copies were made.
        copies: of training and validation images, float32 [n + v, s, s, 3].
        seen: pixels of the target, without labels.
        judged: pixels of the target, to judge by.
    """

    def __init__(self, drawn: DrawnDomains, spec: ImageSpec, scratch: Path, seed: int) -> None:
        """Makes the copies and writes all images."""
        ours = (*drawn.train, *drawn.validation)
        pixels = pixels_of(ours, "none", spec)
        self.seen = pixels_of(drawn.seen, drawn.kind, spec)
        self.judged = pixels_of(drawn.judged, drawn.kind, spec)
        self.likeness = find_likeness(pixels, self.seen)
        self.copies = self.likeness.applied(pixels, np.random.default_rng(seed))
        files = written(self.copies, [FURTHER] * len(ours), scratch / "copies")
        seen = written(self.seen, [FURTHER] * len(drawn.seen), scratch / "seen")
        judged = written(self.judged, [file.label for file in drawn.judged], scratch / "judged")
        count = len(drawn.train)
        self.task = SmallTask(
            drawn.labels,
            (*drawn.train, *files[:count], *seen),
            (*drawn.validation, *files[count:]),
            judged,
        )


class _Arms:
    """All arms on one case, which share the frozen half of the backbone."""

    def __init__(
        self,
        copied: _Copied,
        prepared: PreparedBackbone,
        settings: TrainingSettings,
        scratch: Path,
    ) -> None:
        self._copied = copied
        self._settings = settings
        self._known = prepared.embeddings
        self._head = prepared.head
        self._last = int(prepared.backbone.trunk.outputs[0].shape[-1])
        self._forward = compiled_forward(prepared.backbone.model)
        labels = copied.task.labels
        self._truth = np.array([labels.index(file.label) for file in copied.task.test])
        self._tuning = TopTuning(prepared, settings, scratch)

    def measured(self) -> Found:
        """Of each arm: accuracy on the target, and CPU seconds to train."""
        judged = self._embedded(self._copied.judged)
        chosen = self._with_copies()
        heads = {_BEFORE: self._head.model, _COPIES: chosen}
        found: dict[str, Found] = {
            name: {"accuracy": self._right(head.predict(judged, verbose=0)), "seconds": 0.0}
            for name, head in heads.items()
        }
        classes, count = self._known.train.classes, self._known.classes
        source = np.arange(len(classes))
        target = np.arange(2 * len(classes), len(self._copied.task.train))
        held = self._known.validation.classes
        right = np.eye(count, dtype=np.float32)[classes]
        found["fine-tuned"] = self._tuned(
            self._fresh_head(), Lesson(source, right, held, lambda outputs: outputs[: len(held)])
        )
        twice = np.concatenate([held, held])
        found["fine-tuned, with copies"] = self._tuned(
            self._fresh_head(), Lesson(np.arange(2 * len(classes)), np.tile(right, (2, 1)), twice)
        )
        both = np.concatenate([source, target])
        domain = np.zeros((len(both), count + 1), np.float32)
        domain[: len(source), :count] = right
        domain[len(source) :, count] = 1.0
        lesson = Lesson(both, domain, twice, lambda outputs: outputs[:, :count])
        steps = self._settings.epochs * steps_per_epoch(len(both), self._settings.batch_size)
        for strength in _STRENGTHS:
            head = judging(self._fresh_head(), self._last, strength, steps)
            loss = partial(both_losses, share=len(source) / len(both))
            found[f"{DANN}, strength {strength:g}"] = self._tuned(head, lesson, loss)
        return found

    def _with_copies(self) -> keras.Model:
        """The head that a run with `data.target` exports."""
        known, copied = self._known, self._copied
        features = self._embedded(copied.copies)
        count = len(known.train.classes)
        copies = HeadTask(
            LabelledEmbeddings(features[:count], known.train.classes),
            LabelledEmbeddings(features[count:], known.validation.classes),
            known.classes,
        )
        target = Target(self._embedded(copied.seen), copies, copied.likeness)
        situation = Situation(known, self._settings, target=target)
        return choose_head(self._head.model, self._head.answers, situation, (TargetLook(),)).model

    def _fresh_head(self) -> keras.Model:
        """The linear head on the frozen backbone, whatever was trained since."""
        solution = self._head.solution
        head = build_head(
            len(solution.mean), self._known.classes, mean=solution.mean, variance=solution.variance
        )
        head.get_layer("logits").set_weights([solution.linear.kernel, solution.linear.bias])
        return head

    def _tuned(self, head: keras.Model, lesson: Lesson, loss: Loss | None = None) -> Found:
        arm = self._tuning.arm(head, loss)
        began = time.process_time()
        self._tuning.tune(arm, lesson)
        seconds = time.process_time() - began
        logits = self._tuning.tested(arm)[:, : self._known.classes]
        return {"accuracy": self._right(logits), "seconds": seconds}

    def _embedded(self, pixels: Floats) -> Floats:
        batches = np.split(pixels, range(_BATCH, len(pixels), _BATCH))
        return np.concatenate([self._forward(tf.constant(each)).numpy() for each in batches])

    def _right(self, logits: Floats) -> float:
        return float((logits.argmax(axis=1) == self._truth).mean())


def _table(found: Mapping[str, Sequence[Found]]) -> str:
    lines = [
        "| case | arm | accuracy | gain over the linear head, points [95 %] | gain over the head "
        "of `data.target` | worst | CPU seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    for case in sorted(found, key=lambda name: not name.startswith("all ")):
        for arm in found[case][0]:
            accuracies, before, copies = (
                np.array([draw[name]["accuracy"] for draw in found[case]])
                for name in (arm, _BEFORE, _COPIES)
            )
            seconds = np.mean([draw[arm]["seconds"] for draw in found[case]])
            lines.append(
                f"| {case} | {arm} | {accuracies.mean():.3f} | {interval(accuracies - before)} | "
                f"{interval(accuracies - copies)} | {100 * (accuracies - copies).min():+.1f} | "
                f"{seconds:.0f} |"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
