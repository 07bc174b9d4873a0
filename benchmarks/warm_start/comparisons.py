"""Methods against each other, over the tasks that both have."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.warm_start.methods import WARM
from benchmarks.warm_start.significance import (
    Ratio,
    bootstrap_ratio,
    holm,
    mean_ranks,
    signed_rank,
)
from benchmarks.warm_start.summary import Summary, TaskFigures

Searches = tuple[str, str]
"""A method in a regime."""


def mean_area(summary: Summary, method: str, regime: str) -> float:
    """Area over the method's tasks."""
    return float(np.mean([each.area for each in summary.of(method, regime).values()]))


def ranks(summary: Summary, regime: str) -> dict[str, float]:
    """Mean rank by area, 1 is best, of the methods that have every task of the regime."""
    present = [each for each in summary.methods if summary.of(each, regime)]
    tasks = list(max((summary.of(each, regime) for each in present), key=len, default={}))
    whole = [each for each in present if len(summary.of(each, regime)) == len(tasks)]
    if not whole:
        return {}
    areas = [[summary.of(method, regime)[task].area for method in whole] for task in tasks]
    return dict(zip(whole, mean_ranks(np.array(areas)).tolist(), strict=True))


def chances(summary: Summary, regime: str) -> dict[str, float]:
    """Adjusted p of each method's areas against those of WarmStartOracle."""
    others = [each for each in summary.methods if each != WARM and summary.of(each, regime)]
    if not summary.of(WARM, regime):
        return {}
    values = []
    for other in others:
        one, two, _ = _paired(summary, (WARM, regime), (other, regime), "area")
        values.append(signed_rank(one, two))
    return dict(zip(others, holm(values), strict=True))


def ratio(
    summary: Summary, first: Searches, second: Searches, figure: str = "area"
) -> Ratio | None:
    """Ratio of the means over common tasks; None if it means nothing.

    Args:
        summary: of all searches.
        first: method and regime.
        second: likewise.
        figure: attribute of `TaskFigures`.
    """
    one, other, groups = _paired(summary, first, second, figure)
    return bootstrap_ratio(one, other, groups)


def in_words(known: Ratio | None) -> str:
    """A ratio with its interval."""
    return "–" if known is None else f"{known.value:.2f} [{known.low:.2f}, {known.high:.2f}]"


def _paired(
    summary: Summary, first: Searches, second: Searches, figure: str
) -> tuple[NDArray[np.float64], NDArray[np.float64], list[str]]:
    """A figure of both on the tasks that both have, and the tasks' groups."""
    one, other = summary.of(*first), summary.of(*second)
    tasks = [task for task in summary.groups if task in one and task in other]
    return (
        _column([one[task] for task in tasks], figure),
        _column([other[task] for task in tasks], figure),
        [summary.groups[task] for task in tasks],
    )


def _column(tasks: Sequence[TaskFigures], figure: str) -> NDArray[np.float64]:
    return np.array([getattr(each, figure) for each in tasks], np.float64)
