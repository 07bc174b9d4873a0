"""The parts of a reference that are reckoned: temperature, directions, and which images."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.blas_threads import few_threads
from models.temperature import best_temperature

_SMALLEST: Final = 1e-30
_LEAST_SPREAD: Final = 1e-6


def fitted_temperature(probabilities: NDArray[np.float32], labels: NDArray[np.int32]) -> float:
    """What a model's logits are divided by to be calibrated.

    Args:
        probabilities: float32 [n, k], as answered to images that the model was not trained on.
        labels: int32 [n], their right classes.

    Returns:
        The temperature of least log loss, within 0.05 to 20; 1 where there is no image.
    """
    exact = np.maximum(probabilities, _SMALLEST).astype(np.float64)
    return best_temperature(np.log(exact), labels)


def principal_directions(
    embeddings: NDArray[np.float32], most: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The directions in which embeddings differ most, each divided by the spread along it.

    Args:
        embeddings: float32 [n, d].
        most: directions at most; fewer where the embeddings span fewer.

    Returns:
        Their mean, float32 [d], and the directions, float32 [d, c], the widest first; c is 1 at
        least.
    """
    centre = embeddings.mean(axis=0, dtype=np.float64)
    with few_threads(embeddings.size):
        _, spreads, rows = np.linalg.svd(embeddings - centre, full_matrices=False)
    spreads = spreads / math.sqrt(max(len(embeddings) - 1, 1))
    wide = spreads > _LEAST_SPREAD * max(float(spreads[0]), _SMALLEST)
    count = max(1, min(most, int(wide.sum())))
    directions = rows[:count].T / np.maximum(spreads[:count], _LEAST_SPREAD)
    return centre.astype(np.float32), directions.astype(np.float32)


def drawn(digests: Sequence[str], most: int) -> set[str]:
    """Some images, drawn by their digests: at random, and the same ones each time."""
    return set(sorted(set(digests))[:most])


def drawn_by_class(digests: Sequence[str], labels: Sequence[str], most: int) -> set[str]:
    """Likewise, of each class as many as of any other where it has them."""
    taken: Counter[str] = Counter()
    turns = []
    for digest, label in sorted(set(zip(digests, labels, strict=True))):
        turns.append((taken[label], digest))
        taken[label] += 1
    return {digest for _, digest in sorted(turns)[:most]}
