"""Accuracies of draws as tables in Markdown, and what they say of the choice that a run makes."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.strategies.measurement import AUTO

_DRAWS: Final = 2000
_BEATEN: Final = "**beaten**"

Figures = Mapping[str, float]


def table(figures: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]]) -> str:
    """A row for each situation and strategy, with its gain and the interval of that.

    Args:
        figures: situation to strategy to a pair for each draw, accuracy and gain.
    """
    lines = [
        "| situation | strategy | accuracy | gain, points [95 %] | worst |",
        "|---|---|---|---|---|",
    ]
    for situation, strategies in figures.items():
        for strategy, pairs in strategies.items():
            accuracies, gains = np.array(pairs).T
            lines.append(
                f"| {situation} | {strategy} | {accuracies.mean():.3f} | {interval(gains)} | "
                f"{100 * gains.min():+.1f} |"
            )
    return "\n".join(lines)


def over_the_first(draws: Sequence[Figures]) -> dict[str, list[tuple[float, float]]]:
    """Of each strategy its accuracy, and its gain over the first one, in each draw."""
    first = next(iter(draws[0]))
    return {name: [(each[name], each[name] - each[first]) for each in draws] for name in draws[0]}


def verdicts(found: Mapping[str, Sequence[Figures]], aside: Mapping[str, frozenset[str]]) -> str:
    """A row for each situation: is what a run does the best, or is the best within noise of it?

    The best is looked for among all strategies by the draws that it is judged by, so it looks
    better than it is; and the interval of few draws is too narrow. Both speak against `AUTO`.

    Args:
        found: situation to accuracies by strategy, a mapping for each draw.
        aside: of each situation the strategies that are no rivals.
    """
    lines = [
        f"| situation | draws | {AUTO} | the best | best − {AUTO}, points [95 %] | {AUTO} is |",
        "|---|---|---|---|---|---|",
    ]
    words = []
    for situation, draws in found.items():
        if AUTO not in draws[0]:
            lines.append(f"| {situation} | {len(draws)} | none | | | |")
            continue
        mean = {name: float(np.mean([each[name] for each in draws])) for name in draws[0]}
        rivals = [AUTO, *(name for name in mean if name not in aside.get(situation, ()))]
        best = max(rivals, key=mean.__getitem__)
        lost = np.array([each[best] - each[AUTO] for each in draws])
        words.append(_word(lost))
        lines.append(
            f"| {situation} | {len(draws)} | {mean[AUTO]:.3f} | {best}, {mean[best]:.3f} | "
            f"{interval(lost)} | {words[-1]} |"
        )
    fine = len(words) - words.count(_BEATEN)
    return "\n".join([*lines, "", f"Not beaten beyond noise: {fine} of {len(words)}."])


def _word(lost: NDArray[np.floating]) -> str:
    if lost.mean() <= 0.0:
        return "the best"
    if len(lost) == 1:
        return "behind in one draw"
    return _BEATEN if _bounds(lost)[0] > 0.0 else "within noise"


def interval(gains: NDArray[np.floating]) -> str:
    """The mean of some gains in points, with its interval by a bootstrap over them."""
    low, high = _bounds(gains)
    return f"{100 * gains.mean():+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def _bounds(gains: NDArray[np.floating]) -> tuple[float, float]:
    draws = np.random.default_rng(0).choice(gains, (_DRAWS, len(gains))).mean(axis=1)
    low, high = np.quantile(draws, (0.025, 0.975))
    return float(low), float(high)
