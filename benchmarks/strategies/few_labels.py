"""The situations with few labelled images a class, alone and beside images without labels."""

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.embedded import Embedded
from benchmarks.strategies.heads import accuracy, discriminant_head, exported_head
from benchmarks.strategies.measurement import AUTO, Measurement
from models.head.discriminant import Form
from models.head.frozen_head import fit_frozen_head
from models.head.labelled_embeddings import HeadTask, UnlabelledEmbeddings
from models.head.refit import refitted
from models.training.strategies.few_shot import FewShot
from models.training.strategies.self_training import SelfTraining
from models.training.strategies.strategy import Situation
from models.training.training_settings import TrainingSettings

_COUNTS: Final = (1, 2, 5, 10, 20)
_LEAST: Final = 2
"""Images of each class that a run asks for beside test images: one to train and one to validate
on."""
_VALIDATION_SHARE: Final = 0.15
_UNLABELLED: Final = 600

Rows = NDArray[np.int64]


def few_labels(data: Embedded) -> Iterator[Measurement]:
    """So many labelled images a class, a share of them to validate on."""
    for count in _COUNTS:
        images = "1 image" if count == 1 else f"{count} images"
        yield Measurement(f"{images} a class", partial(_few, data, count))


def unlabelled_beside(data: Embedded) -> Iterator[Measurement]:
    """The same, and 600 images without labels."""
    for count in _COUNTS[2:]:
        name = f"{count} images a class, {_UNLABELLED} unlabelled"
        yield Measurement(name, partial(_semi, data, count))


def _few(data: Embedded, count: int, seed: int) -> Mapping[str, float]:
    situation, _ = _drawn(data, count, seed)
    task = situation.task
    labelled = task.train if count < _LEAST else task.labelled
    linear = fit_frozen_head(task)
    heads = {
        "linear head": linear.model,
        "nearest class mean": discriminant_head(labelled, data.count, Form(1.0, unit_length=False)),
        "cosine head": discriminant_head(labelled, data.count, Form(1.0, unit_length=True)),
    }
    if count >= _LEAST:
        heads["refitted linear head"] = refitted(linear, task)
        heads["few-shot head, always"] = FewShot().arm(situation).head
        heads[AUTO] = exported_head(linear, situation)
    return {name: accuracy(head, data.labelled(data.test)) for name, head in heads.items()}


def _semi(data: Embedded, count: int, seed: int) -> Mapping[str, float]:
    situation, unlabelled = _drawn(data, count, seed)
    others = UnlabelledEmbeddings(data.features[unlabelled], len(unlabelled))
    beside = Situation(situation.task, situation.settings, others)
    linear = fit_frozen_head(situation.task)
    heads = {
        "without these": exported_head(linear, situation),
        "self-training, always": SelfTraining().arm(beside).head,
        AUTO: exported_head(linear, beside),
    }
    return {name: accuracy(head, data.labelled(data.test)) for name, head in heads.items()}


def _drawn(data: Embedded, count: int, seed: int) -> tuple[Situation, Rows]:
    """The task of a draw, and rows that stay without labels.

    With one image a class it is validated on what it is trained on: there is no other.
    """
    generator = np.random.default_rng(seed)
    order = generator.permutation(data.train)
    each = [order[data.classes[order] == k][:count] for k in range(data.count)]
    held = max(1, round(_VALIDATION_SHARE * count)) if count >= _LEAST else 0
    validation = np.concatenate([rows[:held] for rows in each])
    train = np.concatenate([rows[held:] for rows in each])
    unlabelled = np.setdiff1d(order, np.concatenate(each))
    task = HeadTask(data.labelled(train), data.labelled(validation if held else train), data.count)
    settings = TrainingSettings()
    return (
        Situation(task, settings),
        generator.permutation(unlabelled)[:_UNLABELLED],
    )
