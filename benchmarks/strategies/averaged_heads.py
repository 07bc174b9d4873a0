"""Linear heads of bags or of folds, averaged.

All read the same features, so that the mean of their weights answers as the mean of their logits
does, at the price of one.
"""

from collections.abc import Sequence
from typing import Final

import keras
import numpy as np
from numpy.typing import NDArray

from models.head.head_model import build_head, standardised, statistics
from models.head.labelled_embeddings import HeadTask
from models.head.linear_head import LinearHead, fit_linear

_HEADS: Final = 5


def averaged_heads(task: HeadTask, seed: int) -> dict[str, keras.Model]:
    """The mean of heads on draws of the training images, and of heads on all but a fold.

    The folds are of training and validation images together.
    """
    random = np.random.default_rng(seed)
    whole = task.labelled
    mean, variance = statistics(whole.embeddings)
    rows = standardised(whole.embeddings, mean, variance)
    every, border = np.arange(len(rows)), len(task.train.classes)

    def fit(learned: NDArray[np.integer], judged: NDArray[np.integer]) -> LinearHead:
        return fit_linear(
            *(rows[learned], whole.classes[learned], rows[judged], whole.classes[judged]),
            np.ones(task.classes, np.float32),
        )

    def averaged(heads: Sequence[LinearHead]) -> keras.Model:
        head = build_head(len(mean), task.classes, mean=mean, variance=variance)
        kernel, bias = (
            np.mean([getattr(each, part) for each in heads], axis=0) for part in ("kernel", "bias")
        )
        head.get_layer("logits").set_weights([kernel, bias])
        return head

    bags = [fit(random.choice(border, border), every[border:]) for _ in range(_HEADS)]
    parts = np.array_split(random.permutation(every), _HEADS)
    folds = [fit(np.setdiff1d(every, part), part) for part in parts]
    return {f"mean of {_HEADS} bags": averaged(bags), f"mean of {_HEADS} folds": averaged(folds)}
