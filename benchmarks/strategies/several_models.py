"""Are several fine-tuned models worth more than one, where only one of its size is to be served?

    ./dev bench strategies/several_models --tasks ../shared/data/clothing ../shared/data/signdigits

Four fine-tunings begin from the same backbone and the same linear head, and differ by the order of
the images, the rate or the smoothing of the labels, as the finalists of a search do. They answer
together (four times the price of an answer), or one is made of them: by the mean of their weights
(M. Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models improves accuracy
without increasing inference time", ICML 2022; "greedy" adds a model where validation does not speak
against it), or by distillation (G. Hinton et al., "Distilling the Knowledge in a Neural Network",
2015), which begins anew and learns what the four answer together, also to images without labels.
The last arms learn what one of them answers to these, as a run with `data.unlabelled` does; "auto"
is what such a run exports, which may be the head on the frozen backbone. CPU seconds are those of
all trainings that an arm needs, without embedding. What was measured is kept in the cache folder,
so that a run that was broken off goes on.
"""

import argparse
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import numpy as np
from scipy.special import softmax

from benchmarks.search.small_task import LabelledFile, SmallTask, first_of_each, split_files
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.measurement import AUTO, Measurement
from benchmarks.strategies.tables import interval
from benchmarks.strategies.top_tuning import (
    FURTHER,
    Arm,
    Floats,
    Lesson,
    TopTuning,
    Weights,
    prepared_backbone,
)
from models.head.evidence import answers_of, compare, log_loss
from models.head.refit import refitted
from models.temperature import best_temperature
from models.training.own_answers import LEAST_CONFIDENCE
from models.training.training_settings import TrainingSettings

_VALIDATION, _TEST, _CLASSES = 120, 400, 20
_IMAGES: Final = 40
_MEMBERS: Final = ((1.0, 0.0), (1.0, 0.0), (3.0, 0.0), (1.0, 0.1))
"""Of each its rate, as a multiple of the usual one, and the smoothing of its labels."""
_ONE: Final = "one model"
_TOGETHER: Final = "four together"
_NOT_SURE: Final = "the same, where validation is not sure against it"
_LEAST: Final = 1e-7

Found = Mapping[str, Any]


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="+", required=True, type=Path, help="labelled images")
    parser.add_argument("--size", type=int, default=64, help="side in pixels")
    parser.add_argument("--images", type=int, default=_IMAGES, help="to train on, of each class")
    parser.add_argument("--unlabelled", type=int, default=_IMAGES, help="of each class, at most")
    parser.add_argument("--epochs", type=int, default=20, help="at most")
    parser.add_argument("--seeds", type=int, default=3, help="draws")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    kept = Kept(options.cache / "several_models.jsonl")
    found = []
    for seed in range(options.seeds):
        for data in options.tasks:
            draw = Draw(data, seed, options.size, options.images, options.unlabelled)
            key = f"{data} {draw} {options.epochs}"
            found.append(kept.get(key, partial(draw.measured, options.epochs)))
    print(_table(found))


def beside_unlabelled(data: Path, size: int) -> Iterator[Measurement]:
    """As many images without labels as with them."""
    name = f"fine-tuned, {_IMAGES} images a class, {_IMAGES} unlabelled"
    # Four models that answer together cost four times as much to serve.
    yield Measurement(name, partial(_accuracies, data, size), frozenset({_TOGETHER}))


def _accuracies(data: Path, size: int, seed: int) -> Mapping[str, float]:
    found = Draw(data, seed, size, _IMAGES, _IMAGES).measured(TrainingSettings().epochs)
    names = dict.fromkeys([_ONE, *found])
    return {name: found[name]["accuracy"] for name in names}


@dataclass(frozen=True)
class Draw:
    """A task out of a folder.

    Attributes:
        data: the folder.
        seed: of what is drawn, and of the trainings.
        size: side in pixels.
        images: to train on, of each class.
        unlabelled: further images of each class whose labels nobody sees, at most.
    """

    data: Path
    seed: int
    size: int
    images: int
    unlabelled: int

    def __str__(self) -> str:
        return f"{self.data.name} {self.size} {self.images}+{self.unlabelled} {self.seed}"

    def measured(self, epochs: int) -> Found:
        """What each arm comes to."""
        wanted = self.images + self.unlabelled
        drawn = split_files(self.data, wanted, _VALIDATION, _CLASSES, test=_TEST, seed=self.seed)
        labelled, further = first_of_each(drawn.train, self.images)
        unseen = (LabelledFile(FURTHER, file.path) for file in further)
        task = replace(drawn, train=(*labelled, *unseen))
        with TemporaryDirectory() as scratch:
            return _Arms(task, Path(scratch), self, epochs).measured()


class _Arms:
    """All arms on one task, which share the frozen half of the backbone and the first head."""

    def __init__(self, task: SmallTask, scratch: Path, draw: Draw, epochs: int) -> None:
        settings = TrainingSettings(epochs=epochs)
        prepared = prepared_backbone(task, scratch, draw.size, settings, draw.seed)
        self._seed = draw.seed
        self._rate = settings.learning_rate
        self._truth = np.array([task.labels.index(each.label) for each in task.test])
        self._held = np.array([task.labels.index(each.label) for each in task.validation])
        known = prepared.embeddings.train.classes
        self._labels = np.eye(len(task.labels), dtype=np.float32)[known]
        self._linear = prepared.head
        again = refitted(self._linear, prepared.embeddings)
        self._tuning = TopTuning(prepared, settings, scratch)
        # Before any training changes what the head reads.
        _, held, tested = self._tuning.features()
        self._head = again.predict(held, verbose=0), again.predict(tested, verbose=0)
        self._arm: Arm = self._tuning.arm(self._linear.model)

    def measured(self) -> Found:
        """Of each arm: accuracy, log loss, CPU seconds and passes for an answer."""
        found: dict[str, Any] = {"linear head, frozen": self._judged(0.0)}
        members, held, tested, taught, seconds = [], [], [], [], []
        for number, (rate, smoothing) in enumerate(_MEMBERS):
            targets = (1 - smoothing) * self._labels + smoothing / self._labels.shape[1]
            seconds.append(self._tune(targets, number, rate))
            members.append(self._arm.model.get_weights())
            held.append(self._tuning.validated(self._arm))
            tested.append(self._tuning.tested(self._arm))
            taught.append(
                _shared([softmax(each, axis=1) for each in self._tuning.taught(self._arm)])
            )
        every = sum(seconds)
        found[_ONE] = self._figures(held[0], tested[0], seconds[0])
        order = sorted(range(len(members)), key=lambda each: -self._score(held[each]))
        best = order[0]
        found["best of four, by validation"] = self._figures(held[best], tested[best], every)
        found[_TOGETHER] = self._figures(_mean(held), _mean(tested), every, len(members))
        self._arm.model.set_weights(_averaged(members))
        found["mean of weights"] = self._judged(every)
        self._arm.model.set_weights(self._greedy([members[each] for each in order]))
        found["mean of weights, greedy"] = self._judged(every)
        teacher = _shared(taught)
        count = len(self._labels)
        for name, targets, before in (
            ("distilled", teacher[:count], every),
            ("distilled, with the labels", (teacher[:count] + self._labels) / 2, every),
            ("distilled, images without labels too", teacher, every),
            ("distilled of one model, images without labels too", taught[0], seconds[0]),
        ):
            took = self._tune(targets, len(members))
            found[name] = self._judged(before + took)
        # The last one, as a run with `data.unlabelled` has it, which validation may speak against.
        last = self._tuning.validated(self._arm)
        second, first = (answers_of(each, self._held) for each in (last, held[0]))
        is_kept = compare(second, first).confidence >= LEAST_CONFIDENCE
        found[_NOT_SURE] = found[name if is_kept else _ONE]
        gain = compare(second if is_kept else first, self._linear.answers).gain
        found[AUTO] = found[_NOT_SURE] if gain > 0.0 else self._figures(*self._head, 0.0)
        return found

    def _tune(self, targets: Floats, number: int, rate: float = 1.0) -> float:
        """Trains, and says how many CPU seconds it took."""
        began = time.process_time()
        lesson = Lesson(np.arange(len(targets)), targets.astype(np.float32), self._held)
        seed = self._seed + 1000 * number
        self._tuning.tune(self._arm, lesson, seed=seed, rate=rate * self._rate)
        return time.process_time() - began

    def _greedy(self, members: Sequence[Weights]) -> Weights:
        """The soup to which a member is added where validation does not speak against it."""
        taken: list[Weights] = []
        best = -np.inf
        for member in members:
            self._arm.model.set_weights(_averaged([*taken, member]))
            score = self._score(self._tuning.validated(self._arm))
            if score >= best:
                taken, best = [*taken, member], score
        return _averaged(taken)

    def _score(self, logits: Floats) -> float:
        return answers_of(logits, self._held).expected_accuracy

    def _judged(self, seconds: float) -> Found:
        tuning = self._tuning
        return self._figures(tuning.validated(self._arm), tuning.tested(self._arm), seconds)

    def _figures(self, held: Floats, tested: Floats, seconds: float, passes: int = 1) -> Found:
        calibrated = tested / best_temperature(held, self._held)
        return {
            "accuracy": float((tested.argmax(axis=1) == self._truth).mean()),
            "log loss": log_loss(calibrated, self._truth),
            "seconds": seconds,
            "passes": passes,
        }


def _averaged(members: Sequence[Weights]) -> Weights:
    return [_shared(each) for each in zip(*members, strict=True)]


def _shared(answers: Sequence[Floats]) -> Floats:
    """The mean of arrays that are alike."""
    return np.asarray(np.mean(answers, axis=0), np.float32)


def _mean(logits: Sequence[Floats]) -> Floats:
    """Logits of the mean of the probabilities."""
    return np.log(_shared([softmax(each, axis=1) for each in logits]) + _LEAST)


def _table(found: Sequence[Found]) -> str:
    lines = [
        "| model | accuracy | gain, points [95 %] | worst | log loss | CPU seconds | passes |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in found[0]:
        gains = np.array([each[name]["accuracy"] - each[_ONE]["accuracy"] for each in found])
        mean = {key: np.mean([each[name][key] for each in found]) for key in found[0][name]}
        lines.append(
            f"| {name} | {mean['accuracy']:.3f} | {interval(gains)} | {100 * gains.min():+.1f} | "
            f"{mean['log loss']:.3f} | {mean['seconds']:.0f} | {mean['passes']:.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
