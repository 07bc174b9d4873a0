"""A model that says how sure it is: one temperature for its logits.

It changes no answer, only how sure they are (`models.temperature`). A few validation images that
are all answered rightly would ask for endless sureness, so the temperature is drawn to 1 as by a
belief that it is seldom above 1.5 or below two thirds. A wider belief cost linear heads with 18
validation images twice as much (`benchmarks/strategies/RESULTS.md`).
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax

from models.metrics import calibration_bins, calibration_error
from models.temperature import best_temperature

_SPREAD: Final = math.log(1.5) / 2
"""Standard deviation of the logarithm of a temperature, before anything is seen."""


@dataclass(frozen=True)
class Calibration:
    """What a temperature does to the answers to the validation images.

    Attributes:
        temperature: that the logits are divided by.
        loss_before: mean log loss in nats.
        loss_after: the same, with it.
        error_before: expected calibration error, 0..1.
        error_after: the same, with it.
    """

    temperature: float
    loss_before: float
    loss_after: float
    error_before: float
    error_after: float


def calibration(logits: NDArray[np.floating], classes: NDArray[np.integer]) -> Calibration:
    """Finds the temperature of a model, drawn to 1, and what it does.

    Args:
        logits: finite, [n, k], n at least 1, of images that it was not trained on.
        classes: right ones, int [n].
    """
    temperature = best_temperature(logits, classes, _SPREAD)
    exact = np.asarray(logits, np.float64)
    before, after = (_figures(each, classes) for each in (exact, exact / temperature))
    return Calibration(temperature, before[0], after[0], before[1], after[1])


def _figures(logits: NDArray[np.float64], classes: NDArray[np.integer]) -> tuple[float, float]:
    losses = -log_softmax(logits, axis=1)[np.arange(len(logits)), classes]
    bins = calibration_bins(classes, softmax(logits, axis=1))
    return float(losses.mean()), calibration_error(bins)
