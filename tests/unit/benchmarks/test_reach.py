"""What the warm-start benchmark says of its own figures."""

import numpy as np
import pytest

from benchmarks.warm_start.methods import AVERAGE_RANK, COLD, WARM
from benchmarks.warm_start.reach import reach
from benchmarks.warm_start.summary import Summary, TaskFigures

_BETTER = [0.1] * 5 + [0.2] * 5
_WORSE = [area + 0.1 for area in _BETTER]


def _figures(area: float) -> TaskFigures:
    return TaskFigures(np.full(25, area), area, area, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1)


def _summary(areas: dict[tuple[str, str], list[float]]) -> Summary:
    """Of ten tasks of as many data sets."""
    tasks = [f"task-{number}" for number in range(10)]
    return Summary(
        measure="score",
        trials=25,
        groups={task: task for task in tasks},
        methods=tuple(method for _, method in areas),
        regimes=("normal",),
        figures={
            key: dict(zip(tasks, map(_figures, values), strict=True))
            for key, values in areas.items()
        },
        failures=(),
        alone=(),
    )


def _verdict(summary: Summary, figure: str) -> str:
    return next(row[-1] for row in reach(summary) if row[1].startswith(figure))


@pytest.mark.parametrize(
    ("warm", "other", "verdict"),
    [
        (_BETTER, _WORSE, "met"),
        (_WORSE, _BETTER, "missed by 1.00"),
        (
            # Each is the better one on half of the tasks.
            [0.1, 0.2] * 5,
            [0.2, 0.1] * 5,
            "level with the best, but significantly better than 0 of 1 alone",
        ),
        (
            # Better on six tasks, worse on four.
            [0.1] * 6 + [0.2] * 4,
            [0.2] * 6 + [0.1] * 4,
            "the best, but significantly better than 0 of 1 alone",
        ),
    ],
)
def test_the_best_mean_rank_counts_when_it_is_no_luck(
    warm: list[float], other: list[float], verdict: str
) -> None:
    summary = _summary({("normal", WARM): warm, ("normal", AVERAGE_RANK): other})
    assert _verdict(summary, "mean rank") == verdict


def test_an_area_is_held_against_the_bar() -> None:
    half = _summary({("normal", WARM): _BETTER, ("normal", AVERAGE_RANK): [2 * a for a in _BETTER]})
    assert _verdict(half, "area, WarmStartOracle /") == "met"
    same = _summary({("normal", WARM): _BETTER, ("normal", AVERAGE_RANK): _BETTER})
    assert _verdict(same, "area, WarmStartOracle /") == "missed by 0.30"


def test_figures_without_searches_are_left_out() -> None:
    assert reach(_summary({("empty", COLD): _BETTER})) == []
