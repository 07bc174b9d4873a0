"""Which of the images whose label looks wrong are left out of training and validation.

Of hard images right labels look wrong too, and those of rare classes most of all; to leave them out
costs accuracy. So of each class no larger share is left out than labels are wrong
(`models.head.wrong_share`), the most doubtful images first. Those to validate on are left out as
well: a head that has learned from few wrong labels is surer of its answers than wrong labels allow,
and validation would choose too strong a penalty for it (`benchmarks/strategies/label_errors.py`).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.head.label_errors import LabelDoubts
from models.head.label_handling import LabelErrors
from models.head.wrong_share import WrongShare

MOST_OF_A_CLASS: Final = 0.5
"""A class of whose images in a split more than this would go keeps all of them: it is rather not
understood than labelled wrongly."""


@dataclass(frozen=True)
class Cleaning:
    """A decision.

    Attributes:
        left_out: which images are left out, bool [n].
        reason: in words.
    """

    left_out: NDArray[np.bool_]
    reason: str


def decide(
    doubts: LabelDoubts,
    share: WrongShare,
    classes: NDArray[np.integer],
    is_training: NDArray[np.bool_],
    wanted: LabelErrors,
) -> Cleaning:
    """Decides what becomes of the images whose label is taken for wrong.

    Args:
        doubts: how doubtful each label is.
        share: of the labels that are wrong.
        classes: that the labels say, int [n].
        is_training: whether an image is to train on, or else to validate on, bool [n].
        wanted: of the configuration.
    """
    none = np.zeros(len(classes), bool)
    if not doubts.is_suspect.any():
        return Cleaning(none, "no label is taken for wrong")
    if wanted == "keep":
        return Cleaning(none, "as training.label_errors: keep says")
    chosen = doubts.is_suspect
    if wanted == "auto":
        chosen = _most_doubtful(doubts, classes, share.least)
    left_out = _without_whole_classes(chosen, classes, is_training)
    words = "as training.label_errors: drop says" if wanted == "drop" else _of(share, left_out)
    if kept := int((chosen & ~left_out).sum()):
        words += f"; {kept:,} more stay, as their class would lose over half of its images"
    return Cleaning(left_out, words)


def _most_doubtful(
    doubts: LabelDoubts, classes: NDArray[np.integer], share: float
) -> NDArray[np.bool_]:
    """The suspects that are the most doubtful, of each class up to a share of its images."""
    chosen = np.zeros(len(classes), bool)
    suspects = doubts.order[doubts.is_suspect[doubts.order]]
    for each in np.unique(classes[suspects]):
        most = int(share * (classes == each).sum())
        chosen[suspects[classes[suspects] == each][:most]] = True
    return chosen


def _without_whole_classes(
    chosen: NDArray[np.bool_], classes: NDArray[np.integer], is_training: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    left_out = chosen.copy()
    for split in (is_training, ~is_training):
        for each in np.unique(classes[split & chosen]):
            rows = split & (classes == each)
            if chosen[rows].mean() > MOST_OF_A_CLASS:
                left_out[rows] = False
    return left_out


def _of(share: WrongShare, left_out: NDArray[np.bool_]) -> str:
    if not share.others:
        return (
            f"none of the {share.surest:,} images that heads are surest of has another label than "
            "these say, so that no label is surely wrong"
        )
    have = "1 has" if share.others == 1 else f"{share.others:,} have"
    words = (
        f"of the {share.surest:,} images that heads are surest of, {have} another label than "
        f"these say, so that at least {share.least:.1%} of all labels are taken for wrong"
    )
    if left_out.any():
        return f"{words}; as many of each class at most are left out, the most doubtful first"
    return f"{words}: too few to leave any out"
