"""What the last blessed model knew and the one that is judged does not know any more.

Both are asked as they are served, among all their classes. So an old image that is answered with a
new class counts as forgotten, and so does every image of a class that the model lost; the other
comparisons with the last blessed model look at the classes that both know alone.
"""

import dataclasses
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from components.judge.checks import Check, check_drop, nothing_to_compare
from components.judge.paired_answers import AsServed, PairedAnswers
from models.intervals import Interval
from models.metrics import paired_drop
from models.wording import listed

NAME: Final = "max_forgetting"
"""Key of the limit in `evaluation`."""
_NAMED: Final = 3
_MADE_ANEW: Final = ("split", "merged", "regrouped")
"""Changes after which images of a class are not to be answered as before."""


@dataclass(frozen=True)
class ClassMemory:
    """What became of one class.

    Attributes:
        label: its name now.
        images: test images of it.
        before: share of them that the last blessed model answers rightly.
        after: share of them that the model that is judged answers rightly.
        drop: before minus after.
        drop_interval: the 95 % interval of that drop.
    """

    label: str
    images: int
    before: float
    after: float
    drop: float
    drop_interval: Interval


@dataclass(frozen=True)
class Forgetting:
    """What became of all classes that the last blessed model knew.

    Attributes:
        images: test images of these classes that neither model learned.
        before: share of them that the last blessed model answers rightly.
        after: share of them that the model that is judged answers rightly.
        drop: before minus after; negative where more is known now.
        drop_interval: the 95 % interval of that drop.
        classes: each class, the most forgotten first.
        lost: classes that the model that is judged cannot answer with.
    """

    images: int
    before: float
    after: float
    drop: float
    drop_interval: Interval
    classes: tuple[ClassMemory, ...]
    lost: tuple[str, ...]


def images_to_remember(paired: PairedAnswers, wanted: Collection[str] | None) -> AsServed:
    """Answers to the images whose class is meant to be known still.

    Args:
        paired: what both models answered.
        wanted: classes of the schema; None where it names none. A class that is not among them was
            taken out on purpose, as was one that was split or merged.
    """
    known = set(paired.new_classes)
    gone = {
        label
        for change in paired.changes
        for label in change.before
        if change.kind in _MADE_ANEW and label not in known
    }
    if wanted is not None:
        gone |= {label for label in paired.served.labels if label not in (known | set(wanted))}
    rows = np.array([label not in gone for label in paired.served.labels], bool)
    return AsServed(
        [label for label in paired.served.labels if label not in gone],
        paired.served.before[rows],
        paired.served.after[rows],
        tuple(sorted(gone.intersection(paired.served.labels))),
    )


def find_forgetting(served: AsServed, known: Collection[str]) -> Forgetting | None:
    """Compares both models on what the last blessed one knew.

    Args:
        served: of `images_to_remember`.
        known: classes of the model that is judged.

    Returns:
        What was found; None without an image.
    """
    if not served.labels:
        return None
    whole = paired_drop(served.before, served.after)
    labels = np.array(served.labels)
    classes = [_memory(label, served, labels == label) for label in np.unique(labels).tolist()]
    return Forgetting(
        images=len(labels),
        before=float(served.before.mean()),
        after=float(served.after.mean()),
        drop=whole.drop,
        drop_interval=whole.interval,
        classes=tuple(sorted(classes, key=lambda each: (-each.drop, each.label))),
        lost=tuple(sorted(set(served.labels) - set(known))),
    )


def check_forgetting(served: AsServed, found: Forgetting | None, limit: float) -> Check:
    """Fails where more was forgotten than the limit, and more than chance explains.

    Args:
        served: of `images_to_remember`.
        found: of `find_forgetting`, of the same.
        limit: most accuracy that may be lost.
    """
    given_up = f". Not asked for any more: {_listing(served.given_up)}" if served.given_up else ""
    if found is None:
        words = f"No test image shows what the last blessed model knew{given_up}"
        return nothing_to_compare(NAME, limit, words)
    classes = "class" if len(found.classes) == 1 else f"{len(found.classes)} classes"
    other = f"the last blessed model on the {classes} that it knew, each asked as it is served"
    check = check_drop(NAME, other, served.before, served.after, limit)
    words = check.words
    forgotten = [each for each in found.classes if each.drop > 0]
    if forgotten and found.drop > 0:
        told = ", ".join(
            f"{each.label!r} ({each.before:.3f} before, {each.after:.3f} now)"
            for each in forgotten[:_NAMED]
        )
        words += f". Forgotten most: {told}"
    if found.lost:
        words += (
            f". It cannot answer with {_listing(found.lost)}, which was not taken out of the schema"
        )
    words += given_up
    if not check.passed:
        words += (
            ". Let it learn from images of these classes too (data.spans: all, or data.replay, "
            "with a larger number where it is set), and begin from the last blessed model "
            "(training.start: champion); classes that are to go are taken out by "
            "`graft schema accept`"
        )
    return dataclasses.replace(check, words=words)


def _listing(labels: Sequence[str]) -> str:
    return listed(list(map(repr, labels)), _NAMED)


def _memory(label: str, served: AsServed, rows: NDArray[np.bool_]) -> ClassMemory:
    before, after = served.before[rows], served.after[rows]
    paired = paired_drop(before, after)
    return ClassMemory(
        label=label,
        images=int(rows.sum()),
        before=float(before.mean()),
        after=float(after.mean()),
        drop=paired.drop,
        drop_interval=paired.interval,
    )
