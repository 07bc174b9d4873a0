"""What the replayed searches say, as tables."""

from collections.abc import Sequence

import numpy as np

from benchmarks.search.peers.names import PEERS
from benchmarks.search.replay import BUDGETS
from models.curves.learning_curve import Floats

Results = dict[str, dict[str, list[list[float]]]]
"""Method → data set → of each seed, relative regret at each budget."""

LABELS = {
    "random": "random, full trainings",
    "hyperband": "Hyperband",
    "asha": "ASHA (random halving without waiting)",
    "cheapest": "cheapest-first halving, no past",
    "static": "static ranking from the past, halving",
    "static-cost": "static ranking from the past and the cost, halving",
    "freeze-thaw": "**freeze-thaw**",
    "learned-costs": "**freeze-thaw**, costs learned from the past instead of told",
    "inverted": "freeze-thaw, inverted past",
    "permuted": "freeze-thaw, permuted past",
    "no-past": "freeze-thaw, no past",
    **{name: peer.label for name, peer in PEERS.items()},
}
_BARS = ("cheapest", "static", "static-cost")
_OWN = "freeze-thaw"
_RESAMPLES = 10_000


def to_markdown(results: Results) -> str:
    """Regret of all methods, its ratio to those of the bars, and that of Graft's search to it."""
    names = sorted({name for method in results.values() for name in method})
    halves = {
        "all data sets": names,
        "first, third … in the order of their names": names[::2],
        "second, fourth …": names[1::2],
    }
    seeds = max(len(each) for method in results.values() for each in method.values())
    head = [
        f"{len(names)} data sets, {seeds} seeds. Mean relative regret by budget, in median full "
        "trainings; ratios of mean regret over all budgets, with 95 % intervals from resampling "
        "the data sets.",
    ]
    bars = [bar for bar in _BARS if bar in results]
    parts = [_table(results, chosen, bars, title) for title, chosen in halves.items() if chosen]
    return "\n\n".join(head + parts) + "\n"


def regrets(results: Results, method: str, names: Sequence[str]) -> Floats:
    """Mean over the seeds, float64 [data sets, budgets]."""
    return np.array([np.mean(results[method][name], axis=0) for name in names])


def ratio(over: Floats, under: Floats) -> tuple[float, float, float]:
    """Ratio of the mean regrets, and a 95 % interval over data sets.

    Args:
        over: of one method, float64 [data sets, budgets].
        under: of another one, likewise.
    """
    own, other = over.mean(axis=1), under.mean(axis=1)
    draws = np.random.default_rng(0).integers(0, len(own), (_RESAMPLES, len(own)))
    low, high = np.quantile(own[draws].mean(axis=1) / other[draws].mean(axis=1), (0.025, 0.975))
    return float(own.mean() / other.mean()), float(low), float(high)


def _table(results: Results, names: Sequence[str], bars: Sequence[str], title: str) -> str:
    columns = ["", *(f"{budget:g}" for budget in BUDGETS), "mean"]
    columns += [
        f"of {LABELS[bar].split(',')[0] if bar != 'static-cost' else 'that and cost'}"
        for bar in bars
    ]
    if _OWN in results:
        columns.append(f"{LABELS[_OWN]} of it")
    lines = [f"## {title[0].upper()}{title[1:]} ({len(names)})", "", _row(columns)]
    lines.append(_row(["---"] * len(columns)))
    for method in results:
        own = regrets(results, method, names)
        cells = [LABELS[method], *(f"{each:.3f}" for each in own.mean(axis=0)), f"{own.mean():.3f}"]
        cells += [
            _ratio(own, regrets(results, bar, names)) if bar != method else "" for bar in bars
        ]
        if _OWN in results:
            cells.append(_ratio(regrets(results, _OWN, names), own) if method != _OWN else "")
        lines.append(_row(cells))
    return "\n".join(lines)


def _ratio(over: Floats, under: Floats) -> str:
    middle, low, high = ratio(over, under)
    return f"{middle:.2f} [{low:.2f}, {high:.2f}]"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
