"""How the classes of two data sets differ: added, removed, renamed, split, merged or regrouped.

That a class got another name is seen by its images: they are the same bytes as before. Where no
image is the same, a new class and a vanished one are just that.
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

Kind = Literal["added", "removed", "renamed", "split", "merged", "regrouped"]


@dataclass(frozen=True)
class ClassChange:
    """One change.

    Attributes:
        kind: what happened.
        before: the classes concerned, as they were known.
        after: the classes concerned, as they are now.
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
            return f"{_named(self.after)} is new, with {counted(self.images, 'image')}"
        if self.kind == "removed":
            return f"{_named(self.before)} has no image any more"
        verb = "is" if len(self.before) == 1 else "are"
        known = (
            f"{counted(self.images, 'image')}, {self.moved} of them known before under another name"
        )
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
    if old == new:
        return ()
    moves = _moves(earlier, now or {}, old, new)
    changes = [_change(before, after, present, moves) for before, after in _groups(old, new, moves)]
    return tuple(sorted(changes, key=lambda each: (not each.adds, each.before, each.after)))


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


def renamed(changes: Iterable[ClassChange]) -> dict[str, str]:
    """Old name to new name of the classes that have another name and nothing else."""
    return {each.before[0]: each.after[0] for each in changes if each.kind == "renamed"}


Moves = Counter[tuple[str, str]]
"""Number of images by the class that they were in and the one that they are in."""


def _moves(
    earlier: "ImageRegister | None", now: "Mapping[Digest, str]", old: set[str], new: set[str]
) -> Moves:
    """What went from a class to another, where that is no mere mending of a few labels."""
    moves: Moves = Counter()
    for digest, before in (earlier.by_class() if earlier else {}).items():
        after = now.get(digest)
        if after is not None and before in old and after in new:
            moves[before, after] += 1
    left: Counter[str] = Counter()
    for (before, _), count in moves.items():
        left[before] += count
    sizes = Counter(now.values())
    return Counter(
        {
            (before, after): count
            for (before, after), count in moves.items()
            if before != after
            # One of the two must have come or gone.
            and (before not in new or after not in old)
            and (count >= _LEFT * left[before] or count >= _CAME * sizes[after])
        }
    )


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
