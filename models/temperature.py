"""The temperature of a model: what its logits are divided by, so that it is as sure as it is right.

C. Guo et al., "On Calibration of Modern Neural Networks" (ICML 2017).
"""

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

_BOUNDS: Final = (math.log(0.05), math.log(20.0))


def best_temperature(
    logits: NDArray[np.floating], classes: NDArray[np.integer], spread: float = math.inf
) -> float:
    """Finds the temperature of least log loss.

    Args:
        logits: finite, [n, k].
        classes: right ones, int [n].
        spread: standard deviation of the temperature's logarithm before anything is seen, by which
            a few images are kept from asking for too much; endless for no such belief.

    Returns:
        The temperature, within 0.05 to 20; 1 where there is no image.
    """
    if not len(classes):
        return 1.0
    exact = np.asarray(logits, np.float64)
    rows = np.arange(len(exact))

    def doubt(log_temperature: float) -> Any:
        losses = -log_softmax(exact * math.exp(-log_temperature), axis=1)[rows, classes]
        return losses.mean() + 0.5 * (log_temperature / spread) ** 2 / len(exact)

    return math.exp(minimize_scalar(doubt, bounds=_BOUNDS, method="bounded").x)
