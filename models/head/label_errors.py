"""Which images look as if their label were wrong, by confident learning.

C. Northcutt, L. Jiang, I. Chuang, "Confident Learning: Estimating Uncertainty in Dataset Labels",
JAIR 2021: an image that a model, which has not seen it, takes for another class as surely as it
usually takes the images of that class has rather that label.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from numpy.typing import NDArray


@dataclass(frozen=True)
class LabelDoubts:
    """How doubtful each of n labels is.

    Attributes:
        order: int [n], the images from the most doubtful one on.
        suggested: int [n], the class that the model takes an image for.
        suggested_probability: float32 [n], that it gives to that class.
        given_probability: float32 [n], that it gives to the label.
        is_suspect: bool [n], whether the label is taken for wrong.
    """

    order: NDArray[np.integer]
    suggested: NDArray[np.integer]
    suggested_probability: NDArray[np.float32]
    given_probability: NDArray[np.float32]
    is_suspect: NDArray[np.bool_]


_NONE: Final = np.zeros(0, np.int64)
NO_DOUBTS: Final = LabelDoubts(
    _NONE, _NONE, _NONE.astype(np.float32), _NONE.astype(np.float32), _NONE.astype(bool)
)
"""Of no images."""


def doubt_labels(labels: NDArray[np.integer], probabilities: NDArray[np.float32]) -> LabelDoubts:
    """Weighs each label against what a model says that was not fitted to it.

    Args:
        labels: class indices, int [n].
        probabilities: of `models.head.out_of_fold`, float32 [n, k].
    """
    suggested = probabilities.argmax(axis=1)
    rows = np.arange(len(labels))
    quality = get_label_quality_scores(labels, probabilities, method="self_confidence")
    # In one process: workers would be forked from one that runs TensorFlow.
    is_suspect = find_label_issues(labels, probabilities, filter_by="low_self_confidence", n_jobs=1)
    return LabelDoubts(
        order=np.argsort(quality, kind="stable"),
        suggested=suggested,
        suggested_probability=probabilities[rows, suggested],
        given_probability=probabilities[rows, labels],
        is_suspect=is_suspect & (suggested != labels),
    )
