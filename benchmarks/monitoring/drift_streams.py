"""Streams of answers: clean ones, and ones that shift at a known image."""

from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from streams import Answers, ServedSet, observations

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


def clean(served: ServedSet, plan: Plan, random: Random) -> Stream:
    """No shift: reference and stream are a random division of the held-out images."""
    drawn, rest = _divided(np.arange(len(served.held_out)), plan, random)
    return _stream(served, drawn, [served.held_out[rest]], len(rest))


def corrupted(served: ServedSet, plan: Plan, shift: str, share: float, random: Random) -> Stream:
    """A share of the images is corrupted from the change on."""
    answers, changed = served.held_out, served.answers(shift)
    drawn, rest = _divided(np.arange(len(answers)), plan, random)
    before, after = rest[: plan.before], rest[plan.before :]
    clean_ones = answers[random.permutation(np.resize(after, plan.after))]
    usable = rest[rest < len(changed)]
    bad_ones = changed[random.permutation(np.resize(usable, plan.after))]
    mixed = _mixed(clean_ones, bad_ones, random.random(plan.after) < share)
    return _stream(served, drawn, [answers[before], mixed], plan.before)


def fewer_labels(served: ServedSet, plan: Plan, random: Random) -> Stream:
    """Every second class, drawn at random, is half as frequent from the change on."""
    answers = served.held_out
    drawn, rest = _divided(np.arange(len(answers)), plan, random)
    before, after = rest[: plan.before], rest[plan.before :]
    classes = len(served.classes)
    rare = random.permutation(classes)[: classes // 2]
    weights = np.where(np.isin(answers.labels[after], rare), 0.5, 1.0)
    rows = random.choice(after, plan.after, p=weights / weights.sum())
    return _stream(served, drawn, [answers[before], answers[rows]], plan.before)


def new_class(served: ServedSet, plan: Plan, share: float, random: Random) -> Stream:
    """A share of the images is of the class that the model does not know."""
    answers = served.held_out
    drawn, rest = _divided(np.flatnonzero(answers.labels >= 0), plan, random)
    before, after = rest[: plan.before], rest[plan.before :]
    strangers = np.flatnonzero(answers.labels < 0)
    strange = random.random(plan.after) < share
    rows = np.where(strange, random.choice(strangers, plan.after), random.choice(after, plan.after))
    return _stream(served, drawn, [answers[before], answers[rows]], plan.before)


def _divided(
    rows: NDArray[np.integer], plan: Plan, random: Random
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Rows of the reference, and of the stream."""
    order = random.permutation(rows)
    held = min(plan.reference, len(rows) // 2)
    return order[:held], order[held : held + 2_000]


def _mixed(one: Answers, other: Answers, which: NDArray[np.bool_]) -> Answers:
    def pick(name: str) -> NDArray[Any]:
        first, second = getattr(one, name), getattr(other, name)
        return np.where(which.reshape(-1, *[1] * (first.ndim - 1)), second, first)

    return Answers(**{field.name: pick(field.name) for field in fields(Answers)})


def _stream(
    served: ServedSet, drawn: NDArray[np.integer], parts: list[Answers], change: int
) -> Stream:
    """A stream of images that all count: one that is drawn twice has another digest each time."""
    reference = replace(served.reference_of(drawn), stressed=served.stressed())
    whole = Answers(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in fields(Answers)
        }
    )
    digests = np.array([f"{number:016x}".ljust(64, "0") for number in range(1, len(whole) + 1)])
    return Stream(reference, observations(reference, replace(whole, digests=digests)), change)
