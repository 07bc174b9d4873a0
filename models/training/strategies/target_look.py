"""Another domain: a head that also learns from copies that look like the images there.

The copies keep their labels, so nothing is guessed about the target but its look, and it matters
little which classes are in it. Matching features in the place of images ruined models
(`benchmarks/strategies/feature_matching.py`), as the shares of the classes are matched with them.

Two heads answer together. The linear one is the better of the two where the target is like the
source; the discriminant one reckons what an image and its copy differ in among what says nothing
of the class, and does not look there. Then it learns from the images of the target too, those that
both together are surest of (self-training, see `models.training.strategies.self_training`).

Where the head without all this answers the copies of validation images as well, the look of the
target is no trouble, and nothing is changed.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.head import discriminant
from models.head.evidence import answers_of
from models.head.frozen_head import fit_frozen_head
from models.head.head_model import build_head, standardised, statistics
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.temperature import best_temperature
from models.training.strategies.self_training import surest_answers
from models.training.strategies.strategy import Arm, Situation

_MOST: Final = 1000
"""Images, and as many copies, that the discriminant head is fitted to; its time grows with the
third power."""
_BELIEVED: Final = 0.6
"""Share of the images of the target answered with a class, the surest ones, that are learned from.
"""
_ROUNDS: Final = 3

Floats = NDArray[Any]
Linear = tuple[Floats, Floats]
"""Kernel [d, k] and bias [k]."""


class TargetLook:
    """Learns from `data.target`; see `models.training.target_copies`."""

    name: Final = "copies that look like the target"
    # It gained on the target wherever it was better on copies, by chance or not
    # (`benchmarks/strategies/target.py`); but copies are no images of the target.
    least_confidence: Final = 0.9

    def reason(self, situation: Situation) -> str:
        """Where there are images of a target."""
        if situation.target is None:
            return ""
        copies = situation.target.copies
        return (
            f"{len(situation.target.embeddings):,} images of another domain (data.target); "
            f"{len(copies.train.classes):,} training and {len(copies.validation.classes):,} "
            "validation images were copied to look like them. No label of the target is known: the "
            "verdict is about the test split's images, of whatever domain those are"
        )

    def arm(self, situation: Situation) -> Arm:
        """Fits both heads, and judges them on copies alone."""
        task, target = situation.task, situation.target
        assert target is not None
        both = HeadTask(
            _together(task.train, target.copies.train),
            _together(task.validation, target.copies.validation),
            task.classes,
        )
        linear = fit_frozen_head(both, situation.settings.weighting)
        mean, variance = statistics(both.train.embeddings)
        kernel, bias = linear.model.get_layer("logits").get_weights()
        kernel, bias, believed = _beside(
            (kernel, bias),
            _standardised(_together(_some(task.train), _some(target.copies.train)), mean, variance),
            _standardised(both.validation, mean, variance),
            standardised(target.embeddings, mean, variance),
        )
        held = standardised(both.validation.embeddings, mean, variance) @ kernel + bias
        temperature = best_temperature(held, both.validation.classes)
        head = build_head(len(mean), task.classes, mean=mean, variance=variance)
        head.get_layer("logits").set_weights([kernel / temperature, bias / temperature])
        own = len(task.validation.classes)
        return Arm(
            head,
            answers_of(held[:own], task.validation.classes),
            "linear and discriminant head together, fitted to "
            f"{len(task.train.classes):,} images, {len(target.copies.train.classes):,} copies and "
            f"{believed:,} images of the target, judged on copies of validation images",
            judged=target.copies.validation,
        )


def _beside(
    linear: Linear, train: LabelledEmbeddings, validation: LabelledEmbeddings, target: Floats
) -> tuple[Floats, Floats, int]:
    """The mean of the linear head and a discriminant one; and how many images that believed."""
    count = len(linear[1])
    choice = discriminant.choose_shrinkage(
        train.embeddings, train.classes, count, validation.embeddings, validation.classes
    )
    rows, classes = train.embeddings, train.classes
    surest = np.zeros(0, np.intp)
    for _ in range(_ROUNDS + 1):
        fitted = discriminant.fit(rows, classes, count, choice)
        kernel, bias = ((one + other) / 2 for one, other in zip(linear, fitted, strict=True))
        logits = target @ kernel + bias
        believed, surest = len(surest), surest_answers(logits, _BELIEVED)
        rows = np.concatenate([train.embeddings, target[surest]])
        classes = np.concatenate([train.classes, logits.argmax(axis=1)[surest]])
    return kernel, bias, believed


def _some(split: LabelledEmbeddings) -> LabelledEmbeddings:
    return split.rows(np.random.default_rng(0).permutation(len(split.classes))[:_MOST])


def _standardised(split: LabelledEmbeddings, mean: Floats, variance: Floats) -> LabelledEmbeddings:
    return LabelledEmbeddings(standardised(split.embeddings, mean, variance), split.classes)


def _together(one: LabelledEmbeddings, other: LabelledEmbeddings) -> LabelledEmbeddings:
    return LabelledEmbeddings(
        np.concatenate([one.embeddings, other.embeddings]),
        np.concatenate([one.classes, other.classes]),
    )
