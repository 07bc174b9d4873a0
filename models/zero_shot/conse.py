"""From ImageNet's classes to other ones: a convex combination by meaning.

Norouzi et al. mix the word vectors of ImageNet's classes by their probabilities. Here each
ImageNet class gives its probability to the classes that it is like, the nearer the more, and to
none of them where it is near to none: what is left over says how much of an image is not known.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from models.zero_shot.meanings import NEAR

_SPREAD: Final = 0.05
"""Difference of two similarities that is worth a factor of e."""


def shares(similarities: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much of an ImageNet class's probability each class gets.

    Args:
        similarities: float32 [k, 1000].

    Returns:
        float32 [1000, k]; a row adds up to at most 1.
    """
    none = np.full((1, similarities.shape[1]), NEAR)
    return softmax(np.concatenate([similarities, none]) / _SPREAD, axis=0)[:-1].T.astype(np.float32)


def confidences(logits: NDArray[np.float32], given: NDArray[np.float32]) -> NDArray[np.float32]:
    """How sure it is that an image is of each class.

    Args:
        logits: float32 [n, 1000] of the pretrained network.
        given: of `shares`.

    Returns:
        float32 [n, k]; a row adds up to at most 1.
    """
    return np.asarray(softmax(logits, axis=1) @ given, np.float32)
