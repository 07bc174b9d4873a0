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

- **Kept.** What a model was tested on goes to the front of the line: it stays in the test split,
  were it more than the share (`components.example_gen.kept_test`).

An image that lies under several labels is placed by the line alone, else its copies could part.

Where the user names groups, `components.example_gen.group_split` decides instead.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Protocol

from components.example_gen.group_split import Grouped, group_sides
from components.example_gen.shares import KEPT_PLACE, LEAST, Shares, bounds, place_of
from models.data import example_schema


class Labelled(Grouped, Protocol):
    """What is split, with what the user's own split says of it, if there is one."""

    @property
    def split(self) -> str | None:
        """The user's split, None in all images or in none."""


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
        validation=0.0 if example_schema.VALIDATION in present else validation,
        test=0.0 if example_schema.TEST in present else test,
    )


def assign_splits(
    images: Sequence[Labelled], shares: Shares, seed: int, kept: Collection[str] = ()
) -> list[str]:
    """Decides the split of every image.

    Args:
        images: all images.
        shares: what is set aside from the images that are in no split or in training.
        seed: another seed gives another split.
        kept: contents that are set aside for test, if any are, were nothing left to learn from.

    Returns:
        The split of each image, in their order.
    """
    pool = [image for image in images if image.split in (None, example_schema.TRAIN)]
    grouped = any(image.group for image in pool)
    sides = iter((group_sides if grouped else _sides)(pool, shares, seed, kept))
    return [
        image.split if image.split not in (None, example_schema.TRAIN) else next(sides)
        for image in images
    ]


def _sides(pool: Sequence[Labelled], shares: Shares, seed: int, kept: Collection[str]) -> list[str]:
    labels: dict[str, set[str]] = defaultdict(set)
    for image in pool:
        labels[image.sha256].add(image.label)
    places = {
        content: KEPT_PLACE if content in kept else place_of(content, seed) for content in labels
    }
    classes: dict[str, list[str]] = defaultdict(list)
    sides = {}
    for content, names in labels.items():
        if len(names) == 1:
            classes[next(iter(names))].append(content)
        for name in names:
            sides[name, content] = shares.side_at(places[content])
    for label, contents in classes.items():
        contents.sort(key=lambda content: (places[content], content))
        tests, validations = _counts([places[content] for content in contents], shares)
        for rank, content in enumerate(contents):
            sides[label, content] = _side_of_rank(rank, tests, validations)
    return [sides[image.label, image.sha256] for image in pool]


def _counts(places: Sequence[float], shares: Shares) -> tuple[int, int]:
    """How many of a class's images, in the order of their places, are for test and validation."""
    total = len(places)
    kept = places.count(KEPT_PLACE) if shares.test else 0
    if total < LEAST:
        return kept, 0
    natural = [shares.side_at(place) for place in places]
    room = total - 1 - (shares.validation > 0)
    tests = max(kept, _within(natural.count(example_schema.TEST), shares.test, total, room))
    room = max(0, total - 1 - tests)
    validations = _within(natural.count(example_schema.VALIDATION), shares.validation, total, room)
    return tests, validations


def _within(count: int, share: float, total: int, room: int) -> int:
    """Returns `count`, brought into the tolerance around `share` of `total`."""
    if share == 0.0:
        return 0
    least, most = bounds(share, total)
    return min(max(count, least), most, room)


def _side_of_rank(rank: int, tests: int, validations: int) -> str:
    if rank < tests:
        return example_schema.TEST
    if rank < tests + validations:
        return example_schema.VALIDATION
    return example_schema.TRAIN
