"""What does a model still know of its classes after it learned new ones, and at what price?

    ./dev bench strategies/continual --tasks ../shared/data/signdigits ../shared/data/clothing

A task is any folder that Graft reads, with at least four classes. A linear head learns most of its
classes (the old ones), then the rest comes. Arms differ in what they see of the old images then:
all of them (joint), none, or a few, as by `data.replay`. "auto" is what a run makes of these by
itself: classes weighed alike, from the old head; "from nothing" is the same with
`training.start: pretrained`. Accuracy is over all classes, on test images of the old and of the
new ones. Seeds draw which classes are new, and the images. What was measured is kept in the cache
folder, so that a run that was broken off goes on.
"""

import argparse
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.embedded import Embedded, embed_set
from benchmarks.strategies.distilled_head import distilled_head
from benchmarks.strategies.heads import discriminant_head, exported_head
from benchmarks.strategies.kept import Kept
from benchmarks.strategies.measurement import AUTO, Measurement
from benchmarks.strategies.tables import interval
from models.head.discriminant import Form
from models.head.earlier_head import EarlierHead
from models.head.frozen_head import fit_frozen_head
from models.head.head_model import standardised, statistics
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.history.records import ClassWeights
from models.metrics import paired_drop
from models.training.strategies.strategy import Situation
from models.training.training_settings import TrainingSettings

_VALIDATION = 0.18
_REPLAYED = (5, 20, 50)
_NEW = 0.3
_LWF_WEIGHTS = (1.0, 4.0)
_JOINT, _ALONE = "joint", "new span alone"

Rows = NDArray[np.int64]
Head = Callable[[NDArray[np.float32]], NDArray[np.floating]]
"""From embeddings [n, d] to logits [n, k]."""


def main() -> None:
    """Prints a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--tasks", nargs="+", required=True, help="folders of labelled images")
    parser.add_argument("--size", type=int, default=96, help="side in pixels")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--new", type=float, default=_NEW, help="share of the classes that are new")
    parser.add_argument("--cache", type=Path, default=Path("benchmarks/out/strategies"))
    arguments = parser.parse_args()
    arguments.cache.mkdir(parents=True, exist_ok=True)
    kept = Kept(arguments.cache / "continual.jsonl")
    figures: dict[str, list[Mapping[str, float]]] = {}
    for task in arguments.tasks:
        data = embed_set(task, arguments.size, arguments.cache)
        for seed in range(arguments.seeds):
            span = Span(data, arguments.new, seed)
            for arm, learn in _arms(span):
                key = f"{task} {arguments.size} {arguments.new:g} {arm} {seed}"
                figures.setdefault(arm, []).append(kept.get(key, partial(span.measured, learn)))
    print(table(figures))


@dataclass(frozen=True)
class Span:
    """Classes that a head knows, and a span of images of others.

    Attributes:
        data: of all classes.
        share: of the classes, that are new.
        seed: of what is drawn.
    """

    data: Embedded
    share: float
    seed: int

    @cached_property
    def classes(self) -> int:
        """All classes."""
        return self.data.count

    @cached_property
    def old(self) -> NDArray[np.bool_]:
        """Whether each class is an old one."""
        drawn = np.random.default_rng(self.seed).permutation(self.classes)
        old = np.ones(self.classes, bool)
        old[drawn[: max(1, round(self.share * self.classes))]] = False
        return old

    @cached_property
    def order(self) -> Rows:
        """Rows to learn from, in the order that they are drawn in."""
        return np.random.default_rng([self.seed, 1]).permutation(self.data.train)

    def task(self, most: int | None) -> HeadTask:
        """All new images, and at most so many of each old class; None for all."""
        rows = [self.order[self.data.classes[self.order] == each] for each in range(self.classes)]
        rows = [
            some[:most] if self.old[each] else some
            for each, some in enumerate(rows)
            if most != 0 or not self.old[each]
        ]
        held = [max(1, round(_VALIDATION * len(some))) for some in rows]
        train = np.concatenate([some[count:] for some, count in zip(rows, held, strict=True)])
        validation = np.concatenate([some[:count] for some, count in zip(rows, held, strict=True)])
        return HeadTask(self.data.labelled(train), self.data.labelled(validation), self.classes)

    @cached_property
    def earlier(self) -> EarlierHead:
        """The head of the model that knows the old classes alone, for all of them."""
        joint = self.task(None)
        known = self._known(joint.train), self._known(joint.validation)
        task = HeadTask(*known, int(self.old.sum()))
        mean, variance = statistics(task.train.embeddings)
        head = fit_frozen_head(task).model
        kernel, bias = head.get_layer("logits").get_weights()
        names = [str(each) for each in np.flatnonzero(self.old)]
        everything = [str(each) for each in range(self.classes)]
        return EarlierHead(mean, variance, kernel, bias).for_classes(names, everything, {})

    def measured(self, learn: Callable[[], Head]) -> Mapping[str, float]:
        """What an arm comes to, its CPU time, and what the old head knew before."""
        before = self._right(self._old_head)
        started = time.process_time()
        head = learn()
        seconds = time.process_time() - started
        right, is_old = self._right(head), self.old[self.data.classes[self.data.test]]
        forgotten = paired_drop(before[is_old], right[is_old])
        return {
            "old": float(right[is_old].mean()),
            "new": float(right[~is_old].mean()),
            "all": float(right.mean()),
            "forgotten": forgotten.drop,
            "seconds": seconds,
        }

    def _known(self, some: LabelledEmbeddings) -> LabelledEmbeddings:
        """The images of old classes, which alone are counted."""
        rows = self.old[some.classes]
        places = np.cumsum(self.old) - 1
        return LabelledEmbeddings(some.embeddings[rows], places[some.classes[rows]])

    def _old_head(self, embeddings: NDArray[np.float32]) -> NDArray[np.floating]:
        earlier = self.earlier
        logits = standardised(embeddings, earlier.mean, earlier.variance) @ earlier.kernel
        return np.where(self.old, logits + earlier.bias, -np.inf)

    def _right(self, head: Head) -> NDArray[np.bool_]:
        answers = head(self.data.features[self.data.test]).argmax(axis=1)
        return np.asarray(answers == self.data.classes[self.data.test])


def new_classes(data: Embedded) -> Iterator[Measurement]:
    """New classes, and some images of each old one; accuracies are over all classes."""
    for count in _REPLAYED:
        name = f"new classes, {count} images of each old one"
        yield Measurement(name, partial(_accuracies, data, count), frozenset({_JOINT}))


def _accuracies(data: Embedded, count: int, seed: int) -> Mapping[str, float]:
    span = Span(data, _NEW, seed)
    arms: dict[str, Callable[[], Head]] = {
        _ALONE: partial(_linear, span, 0),
        "LwF": partial(_distilled, span, _LWF_WEIGHTS[0]),
        **dict(_replaying(span, count)),
        _JOINT: partial(_linear, span, None),
    }
    return {name: span.measured(learn)["all"] for name, learn in arms.items()}


def _arms(span: Span) -> Iterator[tuple[str, Callable[[], Head]]]:
    # Measured beforehand: neither is part of what an arm costs.
    _ = span.earlier
    yield _JOINT, partial(_linear, span, None)
    yield f"{_JOINT}, class means and one covariance", partial(_discriminant, span, None)
    yield _ALONE, partial(_linear, span, 0)
    yield f"{_ALONE}, from the old head", partial(_linear, span, 0, begun=True)
    for weight in _LWF_WEIGHTS:
        yield f"LwF, weight {weight:g}", partial(_distilled, span, weight)
    for count in _REPLAYED:
        for name, learn in _replaying(span, count):
            yield f"replay {count}: {name}", learn


def _replaying(span: Span, count: int) -> Iterator[tuple[str, Callable[[], Head]]]:
    """What may be made of all new images and so many of each old class."""
    begun, alike = "from the old head", "classes weighed alike"
    yield "linear head", partial(_linear, span, count)
    yield begun, partial(_linear, span, count, begun=True)
    yield alike, partial(_linear, span, count, balanced=True)
    yield f"{begun}, {alike}", partial(_linear, span, count, begun=True, balanced=True)
    yield "class means and one covariance", partial(_discriminant, span, count)
    yield AUTO, partial(_exported, span, count, span.earlier)
    yield f"{AUTO}, from nothing", partial(_exported, span, count, None)


def _linear(span: Span, most: int | None, *, begun: bool = False, balanced: bool = False) -> Head:
    task = span.task(most)
    weights: ClassWeights = "balanced" if balanced else "none"
    return _answering(fit_frozen_head(task, weights, span.earlier if begun else None).model)


def _exported(span: Span, most: int, earlier: EarlierHead | None) -> Head:
    """What a run exports with `data.replay`, or also with `training.start: pretrained`."""
    settings = TrainingSettings().for_images(has_replayed=True)
    situation = Situation(span.task(most), settings, earlier=earlier)
    linear = fit_frozen_head(situation.task, settings.weighting, earlier)
    return _answering(exported_head(linear, situation))


def _distilled(span: Span, weight: float) -> Head:
    return distilled_head(span.task(0), span.earlier, span.old, weight)


def _discriminant(span: Span, most: int | None) -> Head:
    task = span.task(most)
    return _answering(discriminant_head(task.train, task.classes, Form(0.5, unit_length=False)))


def _answering(head: keras.Model) -> Head:
    return lambda embeddings: head.predict(embeddings, batch_size=1024, verbose=0)


def table(figures: Mapping[str, list[Mapping[str, float]]]) -> str:
    """A row for each arm, with its gain over the first and the interval of that."""
    lines = [
        "| arm | old classes | new classes | forgotten, points | old against joint, points [95 %] "
        "| all against joint, points [95 %] | CPU seconds |",
        "|---|---|---|---|---|---|---|",
    ]
    joint = next(iter(figures.values()))
    for arm, found in figures.items():
        old, new, forgotten, seconds = (
            np.mean([each[name] for each in found])
            for name in ("old", "new", "forgotten", "seconds")
        )
        lines.append(
            f"| {arm} | {old:.3f} | {new:.3f} | {100 * forgotten:+.1f} | "
            f"{_beside(found, joint, 'old')} | {_beside(found, joint, 'all')} | {seconds:.2f} |"
        )
    return "\n".join(lines)


def _beside(found: list[Mapping[str, float]], joint: list[Mapping[str, float]], name: str) -> str:
    gains = [one[name] - other[name] for one, other in zip(found, joint, strict=True)]
    return interval(np.array(gains))


if __name__ == "__main__":
    main()
