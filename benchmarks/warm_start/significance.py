"""Whether differences between methods could be chance: the tasks are the sample.

Searches with several seeds on one task are averaged first: they say how a method does on that
task, not on tasks.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata, wilcoxon

_RESAMPLES = 10_000


@dataclass(frozen=True)
class Ratio:
    """Of two means over tasks.

    Attributes:
        value: of all tasks.
        low: end of the 95 % interval of the bootstrap.
        high: other end.
    """

    value: float
    low: float
    high: float


def signed_rank(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Two-sided p of Wilcoxon's signed-rank test over tasks.

    Args:
        first: a figure for each task, float64 [t].
        second: the other method's, float64 [t].
    """
    differences = first - second
    if not differences.any():
        return 1.0
    return float(wilcoxon(differences, zero_method="zsplit").pvalue)


def holm(values: Sequence[float]) -> list[float]:
    """Adjusts p values for their number (Holm, 1979), in their order."""
    adjusted = [0.0] * len(values)
    least = 0.0
    for place, index in enumerate(np.argsort(values, kind="stable")):
        least = max(least, min(1.0, values[index] * (len(values) - place)))
        adjusted[index] = least
    return adjusted


def bootstrap_ratio(
    first: NDArray[np.float64], second: NDArray[np.float64], groups: Sequence[str], seed: int = 0
) -> Ratio | None:
    """Ratio of the means over tasks, with the interval over resampled groups of tasks.

    Tasks of one data set resemble each other, so whole groups are drawn (Field and Welsh, 2007).

    Args:
        first: a figure for each task, float64 [t].
        second: the other method's, float64 [t].
        groups: of each task.
        seed: of the bootstrap.

    Returns:
        None where there is nothing to divide by: no task, or a second method without regret.
    """
    if second.sum() <= 0:
        return None
    names = sorted(set(groups))
    members = np.array([[group == name for group in groups] for name in names], np.float64)
    generator = np.random.default_rng(seed)
    drawn = generator.multinomial(len(names), np.full(len(names), 1 / len(names)), _RESAMPLES)
    weights = drawn @ members
    below = weights @ second
    ratios = np.full(_RESAMPLES, np.inf)
    np.divide(weights @ first, below, out=ratios, where=below > 0)
    low, high = np.quantile(ratios, [0.025, 0.975], method="nearest")
    return Ratio(float(first.sum() / second.sum()), float(low), float(high))


def mean_ranks(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean rank of each method over tasks; 1 is best.

    Args:
        figures: lower is better, float64 [tasks, methods].

    Returns:
        float64 [methods].
    """
    return rankdata(figures, axis=1).mean(axis=0)
