"""Whether training is better off without the images whose labels look wrong."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.head.evidence import compare
from models.head.frozen_head import fit_frozen_head
from models.head.label_handling import LabelErrors
from models.head.labelled_embeddings import HeadTask

_SURE: Final = 0.9
"""Probability that training without them is better, from which on `auto` leaves them out."""


@dataclass(frozen=True)
class Cleaning:
    """A decision.

    Attributes:
        is_done: whether the images are left out.
        reason: in words.
    """

    is_done: bool
    reason: str


def decide(task: HeadTask, is_suspect: NDArray[np.bool_], wanted: LabelErrors) -> Cleaning:
    """Decides by what heads fitted with and without the images answer to the validation images.

    Wrong labels among those speak against either head alike.

    Args:
        task: all training and validation images.
        is_suspect: which training images' labels are taken for wrong, bool [n].
        wanted: of the configuration.
    """
    count = int(is_suspect.sum())
    if not count:
        return Cleaning(False, "no training image's label is taken for wrong")
    if wanted == "keep":
        return Cleaning(False, "as training.label_errors: keep says")
    kept = np.bincount(task.train.classes[~is_suspect], minlength=task.classes)
    if not kept[np.unique(task.train.classes)].all():
        return Cleaning(False, "a class would have no training image left")
    if wanted == "drop":
        return Cleaning(True, "as training.label_errors: drop says")
    cleaned = HeadTask(task.train.rows(~is_suspect), task.validation, task.classes)
    comparison = compare(fit_frozen_head(cleaned).answers, fit_frozen_head(task).answers)
    better = comparison.gain > 0.0
    words = f"without them the head is {'better' if better else 'worse'} {comparison}"
    if comparison.confidence >= _SURE:
        return Cleaning(True, words)
    return Cleaning(False, f"{words}; {_SURE:.0%} would be needed" if better else words)
