"""The situations with few labelled images a class, alone and beside images without labels."""

from collections.abc import Callable, Iterator, Mapping
from functools import partial

import keras
import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.embedded import Embedded
from models.head import discriminant
from models.head.discriminant import Choice, Form
from models.head.frozen_head import fit_frozen_head
from models.head.head_model import standardised, statistics
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.training.strategies.choice import choose_head
from models.training.strategies.few_shot import FewShot
from models.training.strategies.self_training import SelfTraining
from models.training.strategies.strategy import Situation
from models.training.training_settings import TrainingSettings

_COUNTS = (1, 5, 10, 20)
_VALIDATION_SHARE = 0.15
_UNLABELLED = 600

Rows = NDArray[np.int64]
Measure = Callable[[int], Mapping[str, float]]


def few_labels(data: Embedded) -> Iterator[tuple[str, Measure]]:
    """So many labelled images a class, a share of them to validate on."""
    for count in _COUNTS:
        yield f"{count} images a class", partial(_few, data, count)


def unlabelled_beside(data: Embedded) -> Iterator[tuple[str, Measure]]:
    """The same, and 600 images without labels."""
    for count in _COUNTS[1:]:
        yield f"{count} images a class, {_UNLABELLED} unlabelled", partial(_semi, data, count)


def _few(data: Embedded, count: int, seed: int) -> Mapping[str, float]:
    situation, _ = _drawn(data, count, seed)
    linear = fit_frozen_head(situation.task)
    found = {"linear head": _accuracy(linear.model, data)}
    labelled = situation.task.labelled if count > 1 else situation.task.train
    mean, variance = statistics(labelled.embeddings)
    rows = standardised(labelled.embeddings, mean, variance)
    test = standardised(data.features[data.test], mean, variance)
    for name, form in (
        ("nearest class mean", Form(1.0, unit_length=False)),
        ("cosine head", Form(1.0, unit_length=True)),
    ):
        kernel, bias = discriminant.fit(
            rows, labelled.classes, situation.task.classes, Choice(form, 1.0, None)
        )
        asked = discriminant.unit_rows(test) if form.unit_length else test
        answers = (asked @ kernel + bias).argmax(axis=1)
        found[name] = float((answers == data.classes[data.test]).mean())
    if count > 1:
        found["few-shot head, always"] = _accuracy(FewShot().arm(situation).head, data)
        chosen = choose_head(linear.model, linear.answers, situation, (FewShot(),))
        found["auto"] = _accuracy(chosen.model, data)
    return found


def _semi(data: Embedded, count: int, seed: int) -> Mapping[str, float]:
    situation, unlabelled = _drawn(data, count, seed)
    few = FewShot().arm(situation)
    beside = Situation(situation.task, situation.settings, data.features[unlabelled])
    chosen = choose_head(few.head, few.answers, beside, (SelfTraining(),))
    return {
        "few-shot head": _accuracy(few.head, data),
        "self-training, always": _accuracy(SelfTraining().arm(beside).head, data),
        "auto": _accuracy(chosen.model, data),
    }


def _drawn(data: Embedded, count: int, seed: int) -> tuple[Situation, Rows]:
    """The task of a draw, and rows that stay without labels.

    With one image a class it is validated on what it is trained on: there is no other.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(data.train)
    each = [order[data.classes[order] == k][:count] for k in range(data.classes.max() + 1)]
    held = max(1, round(_VALIDATION_SHARE * count)) if count > 1 else 0
    validation = np.concatenate([rows[:held] for rows in each])
    train = np.concatenate([rows[held:] for rows in each])
    unlabelled = np.setdiff1d(order, np.concatenate(each))
    task = HeadTask(
        _labelled(data, train), _labelled(data, validation if held else train), len(each)
    )
    return Situation(task, TrainingSettings()), generator.permutation(unlabelled)[:_UNLABELLED]


def _labelled(data: Embedded, rows: Rows) -> LabelledEmbeddings:
    return LabelledEmbeddings(data.features[rows], data.classes[rows])


def _accuracy(head: keras.Model, data: Embedded) -> float:
    logits = head.predict(data.features[data.test], batch_size=1024, verbose=0)
    return float((logits.argmax(axis=1) == data.classes[data.test]).mean())
