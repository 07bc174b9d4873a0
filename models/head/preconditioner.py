"""Coordinates in which a penalised loss is about as curved one way as another.

Features of a backbone vary hundreds of times more along some axes than along others, and a solver
that goes by slopes alone turns round and round in such a valley. Along the axes on which the rows
vary most the steps are made as short as these ask for, along all others as the last of them asks
(Z. Frangella, J. Tropp, M. Udell, "Randomized Nyström Preconditioning", 2023).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.head.principal_axes import Axes

Doubles = NDArray[np.float64]


class Preconditioner:
    """From coordinates that are easy to solve in to the parameters of a problem, and back."""

    def __init__(self, axes: Axes, curvature: float, strength: float, on_bias: float) -> None:
        """Goes by the axes of the rows.

        Args:
            axes: of the rows, as the problem scales them.
            curvature: of the loss, along a row of length 1.
            strength: of the penalty.
            on_bias: strength of that on the bias.
        """
        steps = 1 / np.sqrt(curvature * axes.squares + strength)
        self._directions = axes.directions
        self._step = steps[-1]
        self._bias = 1 / np.sqrt(curvature + on_bias)
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
