"""The tables of a benchmark, in Markdown."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from benchmarks.warm_start.comparisons import chances, in_words, mean_area, ranks, ratio
from benchmarks.warm_start.labels import LABELS
from benchmarks.warm_start.methods import WARM
from benchmarks.warm_start.plot import mean_curve
from benchmarks.warm_start.reach import HEAD, reach
from benchmarks.warm_start.summary import Summary, TaskFigures

_REGRET_AT: Final = (1, 3, 5, 10, 25, 50)


def to_markdown(summary: Summary) -> str:
    """All tables: the reach first, one for each regime, areas by task."""
    parts = [
        f"Regret by the test {summary.measure}: 0 is the best known configuration of a task, 1 the"
        f" median random one. {len(summary.groups)} tasks of"
        f" {len(set(summary.groups.values()))} data sets, searches of {summary.trials} trials,"
        f" {_seeds(summary)} seeds. Area: mean regret over the first {min(summary.trials, 25)}"
        " trials. Lower is better everywhere. Trials to 95 % of the way: until regret is at most"
        " 0.05. A search that never gets there counts one trial more than it had.",
    ]
    if summary.alone:
        parts.append(
            "No other data set could serve as a source, so a warm search is a cold one, on"
            f" {', '.join(summary.alone)}."
        )
    if rows := reach(summary):
        parts.append(_table(HEAD, rows))
    searched = [each for each in summary.regimes if _by_area(summary, each)]
    parts += [f"## {LABELS[each]}\n\n{_regime_table(summary, each)}" for each in searched]
    if searched:
        title = f"## Area by task; {LABELS[searched[0]].lower()}"
        parts.append(f"{title}\n\n{_task_table(summary, searched[0])}")
    if summary.failures:
        parts.append(_failures(summary))
    return "\n\n".join(parts) + "\n"


def _seeds(summary: Summary) -> str:
    counts = {each.seeds for tasks in summary.figures.values() for each in tasks.values()}
    return str(counts.pop()) if len(counts) == 1 else f"{min(counts)} to {max(counts)}"


def _by_area(summary: Summary, regime: str) -> list[str]:
    """Methods that were run, the best first; last those that were not run on every task."""
    tasks = {each: len(summary.of(each, regime)) for each in summary.methods}
    most = max(tasks.values(), default=0)
    present = [each for each in summary.methods if tasks[each]]
    return sorted(present, key=lambda each: (tasks[each] < most, mean_area(summary, each, regime)))


def _regime_table(summary: Summary, regime: str) -> str:
    points = [point for point in _REGRET_AT if point <= summary.trials]
    head = [
        "method",
        *(f"regret at {point}" for point in points),
        "area",
        "area, chosen by the test",
        "trials to 95 % of the best",
        "to 99 %",
        "to 95 % of the way",
        "to 99 %",
        "mean rank",
        "WarmStartOracle's area / its",
        "p (Holm)",
        "own s a trial",
        "search s",
        "tasks",
    ]
    known_ranks, known_chances = ranks(summary, regime), chances(summary, regime)
    rows = []
    for method in _by_area(summary, regime):
        against = ratio(summary, (WARM, regime), (method, regime))
        tasks = summary.of(method, regime)
        rows.append(
            [
                LABELS[method],
                *_figures(summary, method, regime, points),
                f"{known_ranks[method]:.2f}" if method in known_ranks else "–",
                in_words(against) if method != WARM else "",
                f"{known_chances[method]:.2g}" if method in known_chances else "",
                *_costs(list(tasks.values())),
                f"{len(tasks)}",
            ]
        )
    return _table(head, rows)


def _figures(summary: Summary, method: str, regime: str, points: Sequence[int]) -> list[str]:
    curve = mean_curve(summary, method, regime)
    assert curve is not None
    tasks = summary.of(method, regime).values()
    return [
        *(f"{curve[point - 1]:.3f}" for point in points),
        f"{mean_area(summary, method, regime):.3f}",
        f"{np.mean([each.least_area for each in tasks]):.3f}",
        f"{np.mean([each.trials_to_95 for each in tasks]):.1f}",
        f"{np.mean([each.trials_to_99 for each in tasks]):.1f}",
        f"{np.mean([each.trials_to_95_of_way for each in tasks]):.1f}",
        f"{np.mean([each.trials_to_99_of_way for each in tasks]):.1f}",
    ]


def _costs(tasks: Sequence[TaskFigures]) -> list[str]:
    own = float(np.mean([each.own_seconds for each in tasks]))
    return [f"{own:.2f}", f"{np.mean([each.search_seconds for each in tasks]):.0f}"]


def _task_table(summary: Summary, regime: str) -> str:
    """A row for each task; the best in bold."""
    methods = _by_area(summary, regime)
    rows = []
    for task in summary.groups:
        areas = {
            method: tasks[task].area
            for method in methods
            if task in (tasks := summary.of(method, regime))
        }
        least = min(areas.values(), default=0.0)
        cells = {
            method: f"**{value:.2f}**" if value == least else f"{value:.2f}"
            for method, value in areas.items()
        }
        rows.append([task.replace("|", "/"), *(cells.get(method, "–") for method in methods)])
    return _table(["task", *(LABELS[method] for method in methods)], rows)


def _failures(summary: Summary) -> str:
    known: dict[tuple[str, str], int] = {}
    for run in summary.failures:
        words = " ".join(run.failure.split())[-200:].replace("|", "/")
        known[run.method, words] = known.get((run.method, words), 0) + 1
    rows = [[LABELS[method], str(count), words] for (method, words), count in known.items()]
    return "## Searches that failed\n\n" + _table(["method", "searches", "the last words"], rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
