"""Fixed grids, on which a number becomes a cell that is the same for any data.

That a grid does not go by the images is what makes ranks on it exact: see `growing_bag`.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

CELLS: Final = 512
UNKNOWN: Final = -1
"""Cell of a number that is not known."""


def even(low: float, high: float) -> NDArray[np.float64]:
    """Borders of cells of equal width; the outer ones hold whatever is beyond.

    Returns:
        Rising, float64 [511].
    """
    return np.linspace(low, high, CELLS - 1)


def widening(least: float, most: float) -> NDArray[np.float64]:
    """Borders of cells that widen in proportion from zero on, for what is never negative."""
    return np.geomspace(least, most, CELLS - 1)


def widening_both_ways(least: float, most: float) -> NDArray[np.float64]:
    """Borders of cells that widen to either side of zero."""
    half = np.geomspace(least, most, CELLS // 2 - 1)
    return np.concatenate([-half[::-1], [0.0], half])


def cells_of(values: NDArray[Any], borders: NDArray[np.float64]) -> NDArray[np.int16]:
    """The cells of numbers.

    Args:
        values: of any float type, [m]; NaN for unknown.
        borders: rising.

    Returns:
        int16 [m], 0..511, or `UNKNOWN`.
    """
    cells = np.searchsorted(borders, values, side="right").astype(np.int16)
    cells[np.isnan(values)] = UNKNOWN
    return cells
