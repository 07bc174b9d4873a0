"""The split of images that are in groups: a group lies on one side as a whole.

Images of one content or of one group are bound to each other, and so is all that they are bound
to: such a bundle has a place on the line from 0 to 1 and a side, as a single image has in
`components.example_gen.split`. A bundle may hold several classes and be of any size, so the
shares of the classes cannot be cut to measure. Beginning from the places, bundles are moved
across a border, the nearest first, as long as that brings the classes closer to their shares;
most of all, a class in three bundles or more shall be on every side, and every class in training.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from components.example_gen.shares import KEPT_PLACE, LEAST, Shares, bounds, place_of
from models.data import example_schema

_MOST_WORK = 300_000
"""Classes looked at in all moves; where groups hold hundreds of classes, shares stay rough."""
_ROUNDING = 1e-9
_ABSENT = 10.0
"""What a class without an image in a split counts, beside 1 for being off by a whole share."""
_UNTRAINED = 1000.0


class Grouped(Protocol):
    """What is split: something with a content, a label and perhaps a group."""

    @property
    def sha256(self) -> str:
        """Hex digest of the content."""

    @property
    def label(self) -> str:
        """Class name."""

    @property
    def group(self) -> str:
        """Of the images that lie on one side; empty for none."""


@dataclass(slots=True)
class _Bundle:
    """Images that lie on one side.

    Attributes:
        name: of the bundle, which its place is made of.
        place: from 0 to 1.
        side: where it lies now.
        counts: different images by class.
    """

    name: str
    place: float
    side: str
    counts: Counter[str] = field(default_factory=Counter)


def bundle_names(images: Sequence[Grouped]) -> list[str]:
    """Names what each image is bound to.

    Args:
        images: in any order.

    Returns:
        A name for each image, equal where two images are bound: the first group by name, or the
        content where there is no group. A new image changes no name, unless it binds what was
        not bound.
    """
    parents: dict[str, str] = {}

    def root(node: str) -> str:
        while parents.setdefault(node, node) != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    for image in images:
        if image.group:
            # Contents are hex digits, so no group is taken for one; the smaller name is the root,
            # and a group is smaller than any content.
            first, second = sorted((root(f"\0{image.group}"), root(image.sha256)))
            parents[second] = first
    return [root(image.sha256) for image in images]


def group_sides(
    images: Sequence[Grouped], shares: Shares, seed: int, kept: Collection[str] = ()
) -> list[str]:
    """Decides the side of every image.

    Args:
        images: what is split.
        shares: what is set aside.
        seed: another seed gives another split.
        kept: contents whose bundles are set aside for test and moved nowhere, if any are.

    Returns:
        The split of each image, in their order.
    """
    names = bundle_names(images)
    held = {name for name, image in zip(names, images, strict=True) if image.sha256 in kept}
    bundles: dict[str, _Bundle] = {}
    seen: set[tuple[str, str]] = set()
    for name, image in zip(names, images, strict=True):
        if name not in bundles:
            place = KEPT_PLACE if name in held and shares.test else place_of(name, seed)
            bundles[name] = _Bundle(name, place, shares.side_at(place))
        if (image.label, image.sha256) not in seen:
            seen.add((image.label, image.sha256))
            bundles[name].counts[image.label] += 1
    _Balance(bundles.values(), shares).settle()
    return [bundles[name].side for name in names]


class _Balance:
    """How far the classes are from their shares, and the moves that bring them closer."""

    def __init__(self, bundles: Iterable[_Bundle], shares: Shares) -> None:
        self._work = 0
        self._of_class: dict[str, list[_Bundle]] = defaultdict(list)
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        wanted = {example_schema.TEST: shares.test, example_schema.VALIDATION: shares.validation}
        self._wanted = {split: share for split, share in wanted.items() if share > 0}
        set_aside = shares.test + shares.validation
        self._parts = {
            example_schema.TEST: (0.0, shares.test),
            example_schema.VALIDATION: (shares.test, set_aside),
            example_schema.TRAIN: (set_aside, 1.0),
        }
        for bundle in bundles:
            for label, count in bundle.counts.items():
                self._of_class[label].append(bundle)
                self._counts[label][bundle.side] += count
        self._totals = {label: counts.total() for label, counts in self._counts.items()}

    def settle(self) -> None:
        """Moves bundles until no move of one brings the classes closer to their shares."""
        moved = True
        while moved and self._work < _MOST_WORK:
            moved = sum(self._settle_class(label) for label in sorted(self._of_class)) > 0

    def _settle_class(self, label: str) -> bool:
        moved = False
        for split in (example_schema.TRAIN, *self._wanted):
            if self._wrong(label) == 0:
                break
            by_distance = sorted(
                self._of_class[label], key=lambda one: (self._distance(one, split), one.name)
            )
            for bundle in by_distance:
                movable = bundle.side != split and bundle.place != KEPT_PLACE
                if movable and self._work < _MOST_WORK:
                    moved |= self._move_if_better(bundle, split, label)
        return moved

    def _move_if_better(self, bundle: _Bundle, side: str, label: str) -> bool:
        """Moves a bundle if that brings a class closer, and all its classes taken together."""
        old = bundle.side
        before = {one: self._wrong(one) for one in bundle.counts}
        self._work += len(before)
        self._move(bundle, side)
        closer = self._wrong(label) < before[label]
        if closer and sum(map(self._wrong, before)) < sum(before.values()) - _ROUNDING:
            return True
        self._move(bundle, old)
        return False

    def _move(self, bundle: _Bundle, side: str) -> None:
        for label, count in bundle.counts.items():
            self._counts[label][bundle.side] -= count
            self._counts[label][side] += count
        bundle.side = side

    def _wrong(self, label: str) -> float:
        """How far a class is from its shares; 0 within the tolerance."""
        counts, total = self._counts[label], self._totals[label]
        few = len(self._of_class[label]) < LEAST
        wrong = 0.0 if counts[example_schema.TRAIN] else _UNTRAINED
        for split, share in self._wanted.items():
            least, most = (0, 0) if few else bounds(share, total)
            off = max(0, least - counts[split], counts[split] - most)
            wrong += off / max(1.0, share * total)
            wrong += 0.0 if counts[split] or few else _ABSENT
        return wrong

    def _distance(self, bundle: _Bundle, split: str) -> float:
        """How far on the line a bundle lies from the part of a split."""
        low, high = self._parts[split]
        return max(low - bundle.place, bundle.place - high, 0.0)
