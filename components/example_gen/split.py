"""Which image goes to training, validation and test.

A split that the user made is kept as it is. What it lacks (validation, test, or both) is set
aside from the training images, and where there is none at all, from all images:

- **By content.** The SHA-256 of a file's bytes, mixed with the seed, places it on a line from 0
  to 1: the first `test_fraction` of the line is the test split, the next `validation_fraction`
  validation, the rest training. Names, folders and order do not count, so byte-identical images
  fall on one side, and an image stays where it is when others are added or taken away.
- **Stratified.** In each class, test and validation may stray from their shares by a fifth, or
  by one image where a fifth is less; beyond, the images whose place lies nearest the border cross
  it. Only these few can change sides when the class grows.
- **Small classes.** Three different images are enough for one in each split; with fewer, all go
  to training.

An image that lies under several labels is placed by the line alone, else its copies could part.
"""

import hashlib
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from models import features

_TOLERANCE = 0.2
_LEAST = 3


class Labelled(Protocol):
    """What is split: something with a content, a label, and perhaps a split of the user's."""

    @property
    def sha256(self) -> str:
        """Hex digest of the content."""

    @property
    def label(self) -> str:
        """Class name."""

    @property
    def split(self) -> str | None:
        """The user's split, None in all images or in none."""


@dataclass(frozen=True, slots=True)
class Shares:
    """How much of each class is set aside.

    Attributes:
        validation: share for choosing; 0 where the user has a validation split.
        test: share for the final figure; 0 where the user has a test split.
    """

    validation: float
    test: float


def missing_shares(present: set[str | None], validation: float, test: float) -> Shares:
    """Returns the shares to set aside, given the splits that the user has.

    Args:
        present: the user's splits; None stands for images without one.
        validation: wanted share.
        test: wanted share.

    Returns:
        The shares, 0 for a split that the user has.
    """
    return Shares(
        validation=0.0 if features.VALIDATION in present else validation,
        test=0.0 if features.TEST in present else test,
    )


def assign_splits(images: Sequence[Labelled], shares: Shares, seed: int) -> list[str]:
    """Decides the split of every image.

    Args:
        images: all images.
        shares: what is set aside from the images that are in no split or in training.
        seed: another seed gives another split.

    Returns:
        The split of each image, in their order.
    """
    pool = [image for image in images if image.split in (None, features.TRAIN)]
    sides = _sides(pool, shares, seed)
    return [
        image.split
        if image.split not in (None, features.TRAIN)
        else sides[image.label, image.sha256]
        for image in images
    ]


def _sides(pool: Sequence[Labelled], shares: Shares, seed: int) -> dict[tuple[str, str], str]:
    labels: dict[str, set[str]] = defaultdict(set)
    for image in pool:
        labels[image.sha256].add(image.label)
    places = {content: _place(content, seed) for content in labels}
    classes: dict[str, list[str]] = defaultdict(list)
    sides = {}
    for content, names in labels.items():
        if len(names) == 1:
            classes[next(iter(names))].append(content)
        for name in names:
            sides[name, content] = _natural_side(places[content], shares)
    for label, contents in classes.items():
        contents.sort(key=lambda content: (places[content], content))
        tests, validations = _counts([places[content] for content in contents], shares)
        for rank, content in enumerate(contents):
            sides[label, content] = _side_of_rank(rank, tests, validations)
    return sides


def _counts(places: Sequence[float], shares: Shares) -> tuple[int, int]:
    """How many of a class's images, in the order of their places, are for test and validation."""
    total = len(places)
    if total < _LEAST:
        return 0, 0
    natural = [_natural_side(place, shares) for place in places]
    room = total - 1 - (shares.validation > 0)
    tests = _within(natural.count(features.TEST), shares.test, total, room)
    room = total - 1 - tests
    validations = _within(natural.count(features.VALIDATION), shares.validation, total, room)
    return tests, validations


def _within(count: int, share: float, total: int, room: int) -> int:
    """Returns `count`, brought into the tolerance around `share` of `total`."""
    if share == 0.0:
        return 0
    target = share * total
    slack = max(1.0, _TOLERANCE * target)
    least = max(1, math.ceil(target - slack))
    most = max(least, math.floor(target + slack))
    return min(max(count, least), most, room)


def _natural_side(place: float, shares: Shares) -> str:
    if place < shares.test:
        return features.TEST
    if place < shares.test + shares.validation:
        return features.VALIDATION
    return features.TRAIN


def _side_of_rank(rank: int, tests: int, validations: int) -> str:
    if rank < tests:
        return features.TEST
    if rank < tests + validations:
        return features.VALIDATION
    return features.TRAIN


def _place(content: str, seed: int) -> float:
    digest = hashlib.blake2b(f"{seed}:{content}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
