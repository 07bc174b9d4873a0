"""The tables of a benchmark, in Markdown."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.warm_start.methods import (
    AVERAGE_RANK,
    COLD,
    KERAS_TUNER_BAYESIAN,
    WARM,
)
from benchmarks.warm_start.plot import mean_curve
from benchmarks.warm_start.significance import (
    bootstrap_ratio,
    holm,
    mean_ranks,
    signed_rank,
)
from benchmarks.warm_start.summary import Summary, TaskFigures

LABELS: Final = {
    WARM: "WarmStartOracle",
    COLD: "WarmStartOracle, cold",
    AVERAGE_RANK: "average rank",
    "kt_random": "Keras Tuner random",
    KERAS_TUNER_BAYESIAN: "Keras Tuner Bayesian",
    "kt_hyperband": "Keras Tuner Hyperband",
    "optuna_tpe": "Optuna TPE, enqueued",
    "syne_tune_bounding_box": "Syne Tune bounding box",
    "syne_tune_quantile": "Syne Tune quantile",
    "openbox_rgpe": "OpenBox RGPE",
    "openbox_topo": "OpenBox TOPO",
    "vizier_priors": "Vizier with priors",
    "normal": "Normal: all sources",
    "one": "One source",
    "three_of_ten": "Three sources of ten trials",
    "inverted": "Inverted scores",
    "permuted": "Permuted scores",
    "mixed": "Half of the sources inverted",
    "mismatched": "Sources of another space",
    "empty": "No source",
}

_REGRET_AT: Final = (1, 3, 5, 10, 25, 50)
_MISLEADING: Final = ("inverted", "permuted", "mismatched")


def to_markdown(summary: Summary) -> str:
    """All tables: the reach first, then one for each regime."""
    parts = [
        f"Regret by the test {summary.measure}; {len(summary.groups)} tasks of "
        f"{len(set(summary.groups.values()))} data sets, searches of {summary.trials} trials, "
        f"{_seeds(summary)} seeds.",
        _reach(summary),
    ]
    parts += [
        f"## {LABELS.get(regime, regime)}\n\n{_regime_table(summary, regime)}"
        for regime in summary.regimes
    ]
    if summary.failures:
        parts.append(_failures(summary))
    return "\n\n".join(parts) + "\n"


def _seeds(summary: Summary) -> str:
    counts = {each.seeds for tasks in summary.figures.values() for each in tasks.values()}
    return str(counts.pop()) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"


def _regime_table(summary: Summary, regime: str) -> str:
    methods = [each for each in summary.methods if summary.of(each, regime)]
    points = [point for point in _REGRET_AT if point <= summary.trials]
    head = [
        "method",
        *(f"regret at {point}" for point in points),
        "area",
        "trials to 95 %",
        "to 99 %",
        "mean rank",
        "WarmStartOracle's area / its",
        "p (Holm)",
        "own s a trial",
        "search s",
        "tasks",
    ]
    ranks = _ranks(summary, methods, regime)
    chances = _chances(summary, methods, regime)
    rows = [
        [
            LABELS.get(method, method),
            *_figures(summary, method, regime, points),
            ranks.get(method, "–"),
            _against(summary, (WARM, regime), (method, regime)) if method != WARM else "",
            chances.get(method, ""),
            *_costs(list(summary.of(method, regime).values())),
            f"{len(summary.of(method, regime))}",
        ]
        for method in sorted(methods, key=lambda each: _mean_area(summary, each, regime))
    ]
    return _table(head, rows)


def _figures(summary: Summary, method: str, regime: str, points: Sequence[int]) -> list[str]:
    curve = mean_curve(summary, method, regime)
    assert curve is not None
    tasks = summary.of(method, regime).values()
    return [
        *(f"{curve[point - 1]:.3f}" for point in points),
        f"{_mean_area(summary, method, regime):.3f}",
        f"{np.mean([each.trials_to_95 for each in tasks]):.1f}",
        f"{np.mean([each.trials_to_99 for each in tasks]):.1f}",
    ]


def _costs(tasks: Sequence[TaskFigures]) -> list[str]:
    own = float(np.mean([each.own_seconds for each in tasks]))
    return [f"{own:.2f}", f"{np.mean([each.search_seconds for each in tasks]):.0f}"]


def _mean_area(summary: Summary, method: str, regime: str) -> float:
    return float(np.mean([each.area for each in summary.of(method, regime).values()]))


def _ranks(summary: Summary, methods: Sequence[str], regime: str) -> dict[str, str]:
    """Of the methods that have every task."""
    whole = [each for each in methods if len(summary.of(each, regime)) == len(summary.groups)]
    if not whole:
        return {}
    areas = np.array(
        [[summary.of(method, regime)[task].area for method in whole] for task in summary.groups]
    )
    return {method: f"{rank:.2f}" for method, rank in zip(whole, mean_ranks(areas), strict=True)}


def _chances(summary: Summary, methods: Sequence[str], regime: str) -> dict[str, str]:
    """Adjusted p of each method's areas against WarmStartOracle's."""
    if not summary.of(WARM, regime):
        return {}
    others = [each for each in methods if each != WARM]
    pairs = [summary.common_areas((WARM, regime), (each, regime)) for each in others]
    values = holm([signed_rank(one, other) for one, other, _ in pairs])
    return {method: f"{value:.2g}" for method, value in zip(others, values, strict=True)}


def _against(summary: Summary, first: tuple[str, str], second: tuple[str, str]) -> str:
    """Ratio of the mean areas of two (method, regime), with its interval."""
    one, other, groups = summary.common_areas(first, second)
    if not len(one):
        return "–"
    ratio = bootstrap_ratio(one, other, groups)
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"


def _reach(summary: Summary) -> str:
    rows = [
        ["a", "trials to 95 %, WarmStartOracle / Keras Tuner Bayesian", "≤ 0.20", _trials(summary)],
        ["b", "area, WarmStartOracle / average rank", "≤ 0.70",
         _against(summary, (WARM, "normal"), (AVERAGE_RANK, "normal"))],
        ["b", "mean rank of WarmStartOracle among all methods", "best", _own_rank(summary)],
    ]  # fmt: skip
    rows += [
        ["c", f"area with {LABELS[regime].lower()} / the same engine cold", "≤ 1.10",
         _against(summary, (WARM, regime), (COLD, regime))]
        for regime in _MISLEADING
        if regime in summary.regimes
    ]  # fmt: skip
    rows.append(["d", "area cold / the best cold peer", "≤ 1.00", _cold(summary)])
    return _table(["", "figure", "reach", "reached [95 % interval]"], rows)


def _trials(summary: Summary) -> str:
    warm = summary.of(WARM, "normal")
    peer = summary.of(KERAS_TUNER_BAYESIAN, "normal")
    tasks = [task for task in warm if task in peer]
    if not tasks:
        return "–"
    ratio = bootstrap_ratio(
        np.array([warm[task].trials_to_95 for task in tasks]),
        np.array([peer[task].trials_to_95 for task in tasks]),
        [summary.groups[task] for task in tasks],
    )
    return f"{ratio.value:.2f} [{ratio.low:.2f}, {ratio.high:.2f}]"


def _own_rank(summary: Summary) -> str:
    methods = [each for each in summary.methods if summary.of(each, "normal")]
    ranks = _ranks(summary, methods, "normal")
    if WARM not in ranks:
        return "–"
    others = {LABELS[method]: rank for method, rank in ranks.items() if method != WARM}
    if not others:
        return ranks[WARM]
    best = min(others, key=lambda each: float(others[each]))
    return f"{ranks[WARM]}; the best other: {best}, {others[best]}"


def _cold(summary: Summary) -> str:
    peers = [
        method
        for method in summary.methods
        if method not in (WARM, COLD) and summary.of(method, "empty")
    ]
    if not peers or not summary.of(COLD, "empty"):
        return "–"
    best = min(peers, key=lambda each: _mean_area(summary, each, "empty"))
    against = _against(summary, (COLD, "empty"), (best, "empty"))
    return f"{against} ({LABELS[best]})"


def _failures(summary: Summary) -> str:
    known: dict[tuple[str, str], int] = {}
    for run in summary.failures:
        words = " ".join(run.failure.split())[-200:].replace("|", "/")
        known[run.method, words] = known.get((run.method, words), 0) + 1
    rows = [
        [LABELS.get(method, method), str(count), words] for (method, words), count in known.items()
    ]
    return "## Searches that failed\n\n" + _table(["method", "searches", "the last words"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
