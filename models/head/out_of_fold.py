"""What heads answer to images that they were not fitted to."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from models.head.labelled_embeddings import LabelledEmbeddings
from models.head.linear_head import STRENGTHS, Near, fit_linear
from models.head.principal_axes import principal_axes
from models.row_blocks import mean_and_variance
from models.row_threads import each_block

FOLDS: Final = 5
"""Parts; each class needs an image in each."""
_AXES: Final = 256
"""Principal axes that the heads see: fitted to them they take a tenth of the time, and say of wrong
labels as much."""
_PASSES: Final = 5


class FoldedHeads:
    """Linear heads, each fitted without a fifth of the images and asked there."""

    def __init__(
        self,
        images: LabelledEmbeddings,
        classes: int,
        groups: NDArray[np.str_] | None = None,
        *,
        seed: int = 0,
    ) -> None:
        """Finds the axes that the heads see.

        Args:
            images: n of them, of known classes; each class with images has at least five.
            classes: their number, k.
            groups: of the images that lie in one fifth together, unicode [n], empty for none.
            seed: of the fifths.
        """
        self._features = _principal(images.embeddings)
        self._classes = images.classes
        self._even = np.ones(classes, np.float32)
        self._folds = tuple(_folds(images.classes, groups, seed))
        self._near: Near | None = None

    def probabilities(self, left_out: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
        """Fits the heads, and asks each.

        The first fifth chooses the strength of the penalty for all.

        Args:
            left_out: images that none is fitted to, though they are asked, bool [n]; None for none.

        Returns:
            Class probabilities of each image, float32 [n, k].
        """
        features = self._features
        answers = np.zeros((len(features), len(self._even)), np.float32)
        strengths = STRENGTHS
        for fitted, asked in self._folds:
            used = fitted if left_out is None else fitted[~left_out[fitted]]
            own = self._classes[used], features[asked], self._classes[asked]
            head = fit_linear(features[used], *own, self._even, strengths, near=self._near)
            answers[asked] = softmax(features[asked] @ head.kernel + head.bias, axis=1)
            strengths, self._near = (head.strength,), Near(head.solutions, head.strength)
        return answers


def _principal(embeddings: NDArray[np.float32]) -> NDArray[np.float32]:
    """The features along the axes that they vary most on, float32 [n, 256 or fewer]."""
    mean, variance = mean_and_variance(embeddings)
    centre = mean.astype(np.float32)
    scale = (1 / np.sqrt(variance + 0.1 * variance.mean() + 1e-12)).astype(np.float32)

    def standard(block: NDArray[np.float32]) -> NDArray[np.float32]:
        return (block - centre) * scale

    axes = principal_axes(embeddings, _AXES, passes=_PASSES, prepared=standard)
    directions = axes.directions.astype(np.float32)
    with each_block(embeddings) as each:
        return np.concatenate(list(each(lambda rows: standard(embeddings[rows]) @ directions)))


def _folds(
    classes: NDArray[np.integer], groups: NDArray[np.str_] | None, seed: int
) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    rows = np.arange(len(classes))
    if groups is None:
        yield from StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(rows, classes)
        return
    alone = np.array([group or f"\0{row}" for row, group in enumerate(groups)])
    grouped = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    yield from grouped.split(rows, classes, alone)
