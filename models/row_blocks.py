"""Passes over features of many images, a block of rows at a time.

NumPy makes a copy of the whole array for each step of a formula, in double precision twice its
size. Of a million images one copy alone is more than most machines have memory.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ROWS: Final = 1024


def row_blocks(rows: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """The rows in their order, as views of a thousand; none for an empty array.

    Args:
        rows: [n, …].
    """
    return (rows[at : at + ROWS] for at in range(0, len(rows), ROWS))


def mean_and_variance(rows: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of each column, in double precision.

    Args:
        rows: [n, d], n at least 1.

    Returns:
        float64 [d] both.

    >>> mean_and_variance(np.array([[1.0, 5.0], [3.0, 5.0]]))
    (array([2., 5.]), array([1., 0.]))
    """
    mean = rows.mean(axis=0, dtype=np.float64)
    squares = np.zeros(rows.shape[1:], np.float64)
    for block in row_blocks(rows):
        squares += ((block - mean) ** 2).sum(axis=0)
    return mean, squares / len(rows)
