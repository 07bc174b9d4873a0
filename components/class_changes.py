"""How the classes of two data sets differ: added, removed, renamed, split, merged or regrouped.

That a class got another name is seen by its images: they are the same bytes as before. Where no
image is the same, a new class and a vanished one are just that. So is seen that classes exchanged
their names, though these are the same as before.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from models.wording import counted, listed

if TYPE_CHECKING:  # it brings NumPy, which whoever reads what a run wrote can do without
    from components.image_register import Digest, ImageRegister

_LEFT = 0.1
"""Share of a class's images that must have gone to another for it to count as a change."""
_CAME = 0.5
"""Share of a new class's images that must have come from one class for it to count alike."""
_SHOWN = 5

Kind = Literal["added", "removed", "renamed", "split", "merged", "regrouped", "exchanged"]


@dataclass(frozen=True)
class ClassChange:
    """One change.

    Attributes:
        kind: what happened.
        before: the classes concerned, as they were known.
        after: the classes concerned, as they are now; of exchanged names, in the order of `before`.
        images: that are now in `after`.
        moved: of these, images that lay under another class before.
    """

    kind: Kind
    before: tuple[str, ...]
    after: tuple[str, ...]
    images: int
    moved: int = 0

    @property
    def adds(self) -> bool:
        """Whether there is a class that was not known."""
        return bool(set(self.after) - set(self.before))

    @property
    def words(self) -> str:
        """The change in words, without a full stop."""
        if self.kind == "added":
            verb = "is" if len(self.after) == 1 else "are"
            return f"{_named(self.after)} {verb} new, with {counted(self.images, 'image')}"
        if self.kind == "removed":
            verb = "has" if len(self.before) == 1 else "have"
            return f"{_named(self.before)} {verb} no image any more"
        images = counted(self.images, "image")
        known = f"{images}, {self.moved} of them known before under another name"
        if self.kind == "exchanged":
            both = zip(self.before, self.after, strict=True)
            pairs = [f'"{old}" is now "{new}"' for old, new in both]
            return f"classes exchanged their names: {listed(pairs, _SHOWN)} ({known})"
        verb = "is" if len(self.before) == 1 else "are"
        return f"{_named(self.before)} {verb} now {_named(self.after)} ({known})"


def class_changes(
    known: Iterable[str],
    present: Mapping[str, int],
    earlier: "ImageRegister | None" = None,
    now: "Mapping[Digest, str] | None" = None,
) -> tuple[ClassChange, ...]:
    """Compares the classes that are known with those of a data set.

    Args:
        known: the classes so far.
        present: class to its number of images, of the data set.
        earlier: the images so far; None where they are not known.
        now: image to its class, of the data set; None where that is not known.

    Returns:
        The changes, those that add a class first; none where the classes are the same.
    """
    old, new = set(known), {label for label, count in present.items() if count}
    found = _found_again(earlier, now or {}, old, new)
    sizes = Counter((now or {}).values())
    changes = _exchanges(found, sizes, present)
    if old != new:
        moves = _moves(found, sizes, old, new)
        changes += [_change(*group, present, moves) for group in _groups(old, new, moves)]
    return tuple(sorted(changes, key=_order))


def changes_between(
    old: Iterable[str],
    new: Iterable[str],
    earlier: "ImageRegister | None",
    now: "ImageRegister | None",
) -> tuple[ClassChange, ...]:
    """Compares the classes of two models.

    Args:
        old: those of the earlier one.
        new: those of the later one.
        earlier: the images of the earlier one; None where they are not known.
        now: the images of the later one; None where they are not known.
    """
    counts = now.counts() if now else {}
    # A model may know a class whose images nobody counted.
    present = {label: max(counts.get(label, 0), 1) for label in new}
    return class_changes(old, present, earlier, now.by_class() if now else {})


def together(changes: Iterable[ClassChange]) -> list[ClassChange]:
    """The same changes, of which all classes that are just added are one, and all removed ones."""
    rest: list[ClassChange] = []
    alone: dict[Kind, list[ClassChange]] = {"added": [], "removed": []}
    for each in changes:
        alone.get(each.kind, rest).append(each)
    for kind, same in alone.items():
        if same:
            before = tuple(label for each in same for label in each.before)
            after = tuple(label for each in same for label in each.after)
            rest.append(ClassChange(kind, before, after, sum(each.images for each in same)))
    return sorted(rest, key=_order)


def _order(change: ClassChange) -> tuple[bool, tuple[str, ...], tuple[str, ...]]:
    """Those that add a class first."""
    return not change.adds, change.before, change.after


def renamed(changes: Iterable[ClassChange]) -> dict[str, str]:
    """Old name to new name of the classes that have another name and nothing else."""
    return {each.before[0]: each.after[0] for each in changes if each.kind == "renamed"}


def exchanged(changes: Iterable[ClassChange]) -> dict[str, str]:
    """Old name to new name of the classes that exchanged their names."""
    groups = (each for each in changes if each.kind == "exchanged")
    return {old: new for each in groups for old, new in zip(each.before, each.after, strict=True)}


Moves = Counter[tuple[str, str]]
"""Number of images by the class that they were in and the one that they are in."""


def _found_again(
    earlier: "ImageRegister | None", now: "Mapping[Digest, str]", old: set[str], new: set[str]
) -> Moves:
    """Where the images of each class are now, those included that stayed in it."""
    found: Moves = Counter()
    for digest, before in (earlier.by_class() if earlier else {}).items():
        after = now.get(digest)
        if after is not None and before in old and after in new:
            found[before, after] += 1
    return found


def _moves(found: Moves, sizes: Mapping[str, int], old: set[str], new: set[str]) -> Moves:
    """What went from a class to another, where that is no mere mending of a few labels."""
    left = _left(found)
    return Counter(
        {
            (before, after): count
            for (before, after), count in found.items()
            if before != after
            # One of the two must have come or gone.
            and (before not in new or after not in old)
            and (count >= _LEFT * left[before] or count >= _CAME * sizes[after])
        }
    )


def _exchanges(
    found: Moves, sizes: Mapping[str, int], present: Mapping[str, int]
) -> list[ClassChange]:
    """Rings of classes of which each has most images of the one before it."""
    left = _left(found)
    follower = {
        before: after
        for (before, after), count in found.items()
        # Of a class that is mostly new images, a few old ones tell nothing.
        if count > _CAME * left[before] and count >= _LEFT * sizes[after]
    }
    changes = []
    for start in sorted(follower):
        ring = [start]
        while (last := follower.get(ring[-1], start)) not in ring:
            ring.append(last)
        is_ring = follower.get(ring[-1]) == start
        if is_ring and len(ring) > 1 and start == min(ring):
            after = tuple(follower[label] for label in ring)
            moved = sum(found[pair] for pair in zip(ring, after, strict=True))
            images = sum(present[label] for label in ring)
            changes.append(ClassChange("exchanged", tuple(ring), after, images, moved))
    return changes


def _left(found: Moves) -> Counter[str]:
    """Class to the number of its earlier images that are still there."""
    left: Counter[str] = Counter()
    for (before, _), count in found.items():
        left[before] += count
    return left


def _groups(
    old: set[str], new: set[str], moves: Moves
) -> Iterable[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Classes that images went between, taken together, and each class that came or went alone."""
    neighbours: dict[str, set[str]] = defaultdict(set)
    for before, after in moves:
        neighbours[before].add(after)
        neighbours[after].add(before)
    seen: set[str] = set()
    for label in sorted((old ^ new) | set(neighbours)):
        group, pending = set[str](), [label]
        while pending:
            each = pending.pop()
            if each not in seen:
                seen.add(each)
                group.add(each)
                pending += neighbours[each]
        if group:
            yield tuple(sorted(group & old)), tuple(sorted(group & new))


def _change(
    before: tuple[str, ...], after: tuple[str, ...], present: Mapping[str, int], moves: Moves
) -> ClassChange:
    moved = sum(count for (source, _), count in moves.items() if source in before)
    images = sum(present[label] for label in after)
    return ClassChange(_kind(before, after), before, after, images, moved)


def _kind(before: tuple[str, ...], after: tuple[str, ...]) -> Kind:
    if not before:
        return "added"
    if not after:
        return "removed"
    if len(before) == len(after) == 1:
        return "renamed"
    if len(before) == 1:
        return "split"
    return "merged" if len(after) == 1 else "regrouped"


def _named(labels: tuple[str, ...]) -> str:
    shown = listed([f'"{label}"' for label in labels], _SHOWN)
    return f"{'class' if len(labels) == 1 else 'classes'} {shown}"
