"""The axes on which the rows of a matrix vary most.

By subspace iteration from random directions (N. Halko, P. Martinsson, J. Tropp, "Finding Structure
with Randomness", 2011), which reads the rows a block at a time.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.row_threads import each_block

_SPARE: Final = 10
"""Further directions, which make the last axes right."""

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Axes:
    """Those on which rows vary most.

    Attributes:
        directions: orthonormal, float64 [d, r].
        squares: mean square of the rows along each, the largest first, float64 [r].
    """

    directions: NDArray[np.float64]
    squares: NDArray[np.float64]


def principal_axes(
    rows: Floats, wanted: int, *, passes: int, prepared: Callable[[Floats], Floats] = np.asarray
) -> Axes:
    """Finds them.

    Args:
        rows: float32 [n, d].
        wanted: how many at most, r.
        passes: over all rows; each brings the last axes nearer to the truth.
        prepared: what to make of a block of rows first.
    """
    count, dimension = rows.shape
    kept = min(wanted, count, dimension)
    width = min(kept + _SPARE, dimension)
    directions = np.random.default_rng(0).standard_normal((dimension, width), np.float32)

    def turned(block: slice) -> Floats:
        own = prepared(rows[block])
        return np.asarray(own.T @ (own @ directions))

    def squared(block: slice) -> Floats:
        along = prepared(rows[block]) @ directions
        return np.asarray(along.T @ along)

    with each_block(rows) as each:
        for _ in range(passes):
            total = np.zeros_like(directions)
            for part in each(turned):
                total += part
            directions, _ = np.linalg.qr(total)
        products = np.zeros((width, width))
        for part in each(squared):
            products += part
        squares, mixed = np.linalg.eigh(products / count)
    order = slice(-1, -kept - 1, -1)
    # Once more in double precision, so that what goes along them finds its way back.
    exact, _ = np.linalg.qr(directions.astype(np.float64) @ mixed[:, order])
    return Axes(exact, np.maximum(squares[order], 0.0))
