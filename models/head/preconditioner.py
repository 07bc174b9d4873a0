"""Coordinates in which a penalised loss is about as curved one way as another.

Features of a backbone vary hundreds of times more along some axes than along others, and a solver
that goes by slopes alone turns round and round in such a valley. Along the axes on which the rows
vary most the steps are made as short as these ask for, along all others as the last of them asks
(Z. Frangella, J. Tropp, M. Udell, "Randomized Nyström Preconditioning", 2023). The axes are found
as N. Halko, P. Martinsson, J. Tropp do, "Finding Structure with Randomness", 2011.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from models.row_threads import each_block

_AXES: Final = 256
_SPARE: Final = 10
"""Further directions, which make the last axes right."""

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Axes:
    """Those on which rows vary most.

    Attributes:
        directions: orthonormal, float64 [d, r].
        squares: mean square of the rows along each, the largest first, float64 [r].
    """

    directions: Doubles
    squares: Doubles


def axes_of(rows: NDArray[np.float32]) -> Axes:
    """Finds the axes of rows [n, d]."""
    count, dimension = rows.shape
    kept = min(_AXES, count, dimension)
    width = min(kept + _SPARE, dimension)
    random = np.random.default_rng(0).standard_normal((dimension, width), np.float32)
    with each_block(rows) as each:
        total = sum(each(lambda block: rows[block].T @ (rows[block] @ random)))
        directions, _ = np.linalg.qr(total)

        def products(block: slice) -> NDArray[np.float32]:
            along = rows[block] @ directions
            return along.T @ along

        squares, turned = np.linalg.eigh(sum(each(products)).astype(np.float64) / count)
    turned = turned[:, ::-1][:, :kept]
    return Axes(directions.astype(np.float64) @ turned, np.maximum(squares[::-1][:kept], 0.0))


class Preconditioner:
    """From coordinates that are easy to solve in to the parameters of a problem, and back."""

    def __init__(self, axes: Axes, curvature: float, strength: float) -> None:
        """Goes by the axes of the rows.

        Args:
            axes: of the rows, as the problem scales them.
            curvature: of the loss, along a row of length 1.
            strength: of the penalty.
        """
        steps = 1 / np.sqrt(curvature * axes.squares + strength)
        self._directions = axes.directions
        self._step = steps[-1]
        self._bias = 1 / np.sqrt(curvature + strength)
        self._longer = (steps / self._step - 1.0)[:, None]
        self._shorter = (self._step / steps - 1.0)[:, None]

    def parameters(self, easy: Doubles) -> Doubles:
        """The parameters [d + 1, k], with the biases last; slopes are taken back alike."""
        return self._turned(easy, self._longer, self._step, self._bias)

    def easy(self, parameters: Doubles) -> Doubles:
        """The opposite of `parameters`."""
        return self._turned(parameters, self._shorter, 1 / self._step, 1 / self._bias)

    def _turned(self, values: Doubles, more: Doubles, step: Any, bias: Any) -> Doubles:
        along = self._directions.T @ values[:-1]
        result = np.empty_like(values)
        result[:-1] = step * (values[:-1] + self._directions @ (more * along))
        result[-1] = bias * values[-1]
        return result
