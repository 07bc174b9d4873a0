"""Streams of answers: clean ones, and ones that shift at a known image."""

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from served_model import Answers, ServedModel, joined

from models.observation.reference import Reference
from monitoring.observations import Observations

Random = np.random.Generator


@dataclass(frozen=True)
class Stream:
    """A stream.

    Attributes:
        reference: of the model that answers.
        observations: its answers.
        change: first image of the shift; the number of images for none.
    """

    reference: Reference
    observations: Observations
    change: int


@dataclass(frozen=True)
class Plan:
    """How streams are drawn from the held-out images.

    Attributes:
        reference: images of the reference.
        before: clean images before the shift.
        after: images from then on.
    """

    reference: int
    before: int
    after: int


def clean(model: ServedModel, plan: Plan, random: Random) -> Stream:
    """No shift: reference and stream are a random division of the held-out images."""
    answers = model.held_out()
    drawn, rest = _divided(np.arange(len(answers.labels)), plan, random)
    return _stream(model, answers[drawn], [answers[rest].observations], len(rest))


def corrupted(model: ServedModel, plan: Plan, kind: str, share: float, random: Random) -> Stream:
    """A share of the images is corrupted from the change on."""
    answers, changed = model.held_out(), model.held_out(kind)
    drawn, rest = _divided(np.arange(len(answers.labels)), plan, random)
    before, after = rest[: plan.before], rest[plan.before :]
    clean_ones = answers[random.permutation(np.resize(after, plan.after))].observations
    usable = rest[rest < len(changed.labels)]
    bad_ones = changed[random.permutation(np.resize(usable, plan.after))].observations
    mixed = _mixed(clean_ones, bad_ones, random.random(plan.after) < share)
    return _stream(model, answers[drawn], [answers[before].observations, mixed], plan.before)


def fewer_labels(model: ServedModel, plan: Plan, random: Random) -> Stream:
    """Every second class, drawn at random, is half as frequent from the change on."""
    answers = model.held_out()
    drawn, rest = _divided(np.arange(len(answers.labels)), plan, random)
    before, after = rest[: plan.before], rest[plan.before :]
    classes = int(answers.labels.max()) + 1
    rare = random.permutation(classes)[: classes // 2]
    weights = np.where(np.isin(answers.labels[after], rare), 0.5, 1.0)
    rows = random.choice(after, plan.after, p=weights / weights.sum())
    parts = [answers[before].observations, answers[rows].observations]
    return _stream(model, answers[drawn], parts, plan.before)


def new_class(model: ServedModel, plan: Plan, share: float, random: Random) -> Stream:
    """A share of the images is of a class that the model does not know."""
    answers = model.held_out()
    drawn, rest = _divided(np.flatnonzero(answers.labels >= 0), plan, random)
    before, after = rest[: plan.before], rest[plan.before :]
    strangers = np.flatnonzero(answers.labels < 0)
    strange = random.random(plan.after) < share
    rows = np.where(strange, random.choice(strangers, plan.after), random.choice(after, plan.after))
    parts = [answers[before].observations, answers[rows].observations]
    return _stream(model, answers[drawn], parts, plan.before)


def _divided(
    rows: NDArray[np.integer], plan: Plan, random: Random
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Rows of the reference, and of the stream."""
    order = random.permutation(rows)
    held = min(plan.reference, len(rows) // 2)
    return order[:held], order[held : held + 2_000]


def _mixed(one: Observations, other: Observations, which: NDArray[np.bool_]) -> Observations:
    def pick(name: str) -> NDArray[Any]:
        first, second = getattr(one, name), getattr(other, name)
        return np.where(which.reshape(-1, *[1] * (first.ndim - 1)), second, first)

    return Observations(**{field.name: pick(field.name) for field in fields(Observations)})


def _stream(model: ServedModel, drawn: Answers, parts: list[Observations], change: int) -> Stream:
    return Stream(model.reference(drawn), joined(parts), change)
