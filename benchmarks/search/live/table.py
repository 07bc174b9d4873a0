"""The tables of the live comparison.

Differences are paired: two arms are compared on the same task with the same seed. Their intervals
come from drawing tasks anew, and of each task drawn its seeds: a task tells little of another.
"""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.search.live.results import Result

_DRAWS: Final = 2000
_PERCENTILES: Final = (2.5, 97.5)

Scores = Mapping[str, Mapping[str, Mapping[int, float]]]
"""Accuracy by arm, task and seed."""


def to_markdown(results: Sequence[Result], arms: Sequence[str]) -> str:
    """A section for each number of images a class.

    Args:
        results: of the comparison.
        arms: in the order of the rows; the others are compared with the first.
    """
    by_size: dict[int | None, list[Result]] = defaultdict(list)
    for result in results:
        by_size[result.key.images_a_class].append(result)
    sections = [
        "\n\n".join([f"### {_title(size)}", _summary(own, arms), _by_task(own, arms)])
        for size, own in by_size.items()
    ]
    return "\n\n".join(sections) + "\n"


def _title(size: int | None) -> str:
    return "All images" if size is None else f"{size} images a class, validation included"


def scores_of(results: Sequence[Result]) -> Scores:
    """The accuracies as the figures below take them."""
    scores: dict[str, dict[str, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for each in results:
        scores[each.key.arm][each.key.task][each.key.seed] = each.accuracy
    return scores


def paired_difference(
    scores: Scores, one: str, other: str
) -> tuple[float, tuple[float, float]] | None:
    """How much more accurate an arm is on average, each task weighed alike, with its interval.

    Args:
        scores: of `scores_of`.
        one: name of an arm.
        other: name of another.

    Returns:
        The mean and the bounds of 95 %; None where they have no task and seed in common.
    """
    gaps = [
        np.array([own[seed] - theirs[seed] for seed in own if seed in theirs])
        for task, own in scores[one].items()
        for theirs in [scores[other].get(task, {})]
    ]
    gaps = [each for each in gaps if len(each)]
    if not gaps:
        return None
    draw = np.random.default_rng(0)
    means = [_mean_of_redrawn(gaps, draw) for _ in range(_DRAWS)]
    low, high = np.percentile(means, _PERCENTILES)
    return float(np.mean([each.mean() for each in gaps])), (float(low), float(high))


def mean_ranks(scores: Scores) -> dict[str, float]:
    """Mean place of each arm by accuracy, 1 the best, over tasks and seeds that all arms have.

    Arms that are level share the mean of their places.
    """
    places: dict[str, list[float]] = defaultdict(list)
    for task, seed in _common(scores):
        own = {arm: scores[arm][task][seed] for arm in scores}
        for arm, score in own.items():
            ahead = sum(each > score for each in own.values())
            level = sum(each == score for each in own.values())
            places[arm].append(ahead + (level + 1) / 2)
    return {arm: float(np.mean(each)) for arm, each in places.items()}


def worst_gaps(scores: Scores) -> dict[str, float]:
    """How far each arm is behind the best one, in the mean of the seeds, on its worst task."""
    by_task: dict[str, list[int]] = defaultdict(list)
    for task, seed in _common(scores):
        by_task[task].append(seed)
    gaps: dict[str, float] = dict.fromkeys(scores, 0.0) if by_task else {}
    for task, seeds in by_task.items():
        means = {arm: np.mean([scores[arm][task][seed] for seed in seeds]) for arm in scores}
        for arm, mean in means.items():
            gaps[arm] = max(gaps[arm], float(max(means.values()) - mean))
    return gaps


def _common(scores: Scores) -> list[tuple[str, int]]:
    sets = [
        {(task, seed) for task, seeds in own.items() for seed in seeds} for own in scores.values()
    ]
    return sorted(set.intersection(*sets)) if sets else []


def _mean_of_redrawn(gaps: Sequence[NDArray[np.float64]], draw: np.random.Generator) -> float:
    drawn = [gaps[task] for task in draw.integers(0, len(gaps), len(gaps))]
    return float(np.mean([draw.choice(each, len(each)).mean() for each in drawn]))


def _summary(results: Sequence[Result], arms: Sequence[str]) -> str:
    scores = scores_of(results)
    ranks, gaps = mean_ranks(scores), worst_gaps(scores)
    head = [
        "arm", "runs", "test accuracy", f"{arms[0]} is ahead by", "log loss", "mean rank",
        "worst gap to the best", "seconds", "CPU seconds",
    ]  # fmt: skip
    rows = []
    for arm in arms:
        own = [each for each in results if each.key.arm == arm]
        if not own:
            continue
        difference = paired_difference(scores, arms[0], arm) if arm != arms[0] else None
        rows.append([
            arm,
            str(len(own)),
            f"{_mean_by_task(scores[arm]):.3f}",
            "" if difference is None else _in_points(*difference),
            f"{np.mean([each.log_loss for each in own]):.3f}",
            f"{ranks.get(arm, math.nan):.2f}",
            f"{100 * gaps.get(arm, math.nan):.1f}",
            f"{np.mean([each.seconds for each in own]):.0f}",
            f"{np.mean([each.cpu_seconds for each in own]):.0f}",
        ])  # fmt: skip
    return _table(head, rows)


def _by_task(results: Sequence[Result], arms: Sequence[str]) -> str:
    scores = scores_of(results)
    tasks = sorted({each.key.task for each in results})
    rows = [
        [task, *(_mean_and_spread(scores.get(arm, {}).get(task, {})) for arm in arms)]
        for task in tasks
    ]
    return _table(["test accuracy", *arms], rows)


def _mean_by_task(tasks: Mapping[str, Mapping[int, float]]) -> float:
    return float(np.mean([np.mean(list(seeds.values())) for seeds in tasks.values()]))


def _mean_and_spread(seeds: Mapping[int, float]) -> str:
    values = list(seeds.values())
    if len(values) < 2:
        return f"{values[0]:.3f}" if values else ""
    return f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


def _in_points(mean: float, bounds: tuple[float, float]) -> str:
    low, high = (100 * each for each in bounds)
    return f"{100 * mean:+.1f} [{low:+.1f}, {high:+.1f}] points"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
