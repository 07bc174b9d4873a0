"""What WarmStartOracle is to reach, and whether it does."""

from typing import Final

from benchmarks.warm_start.comparisons import chances, in_words, mean_area, ranks, ratio
from benchmarks.warm_start.labels import LABELS
from benchmarks.warm_start.methods import AVERAGE_RANK, COLD, KERAS_TUNER_BAYESIAN, WARM
from benchmarks.warm_start.significance import Ratio
from benchmarks.warm_start.summary import Summary

_MISLEADING: Final = ("inverted", "permuted", "mismatched")
_SIGNIFICANT = 0.05

HEAD: Final = ("", "figure", "reach", "reached [95 % interval]", "so")


def reach(summary: Summary) -> list[tuple[str, ...]]:
    """Rows under `HEAD`; figures that nothing was searched for are left out."""
    peer, bar = LABELS[KERAS_TUNER_BAYESIAN], LABELS[AVERAGE_RANK]
    warm, bayesian = (WARM, "normal"), (KERAS_TUNER_BAYESIAN, "normal")
    rows = [
        _row("a", f"trials to 95 % of the best known {summary.measure}, WarmStartOracle / {peer}",
             0.2, ratio(summary, warm, bayesian, "trials_to_95")),
        _row("a", "trials to 95 % of the way there from the median random one, likewise",
             0.2, ratio(summary, warm, bayesian, "trials_to_95_of_way")),
        _row("b", f"area, WarmStartOracle / {bar}", 0.7,
             ratio(summary, warm, (AVERAGE_RANK, "normal"))),
        _rank(summary),
    ]  # fmt: skip
    rows += [
        _row("c", f"area, {LABELS[regime].lower()} / the same engine cold", 1.1,
             ratio(summary, (WARM, regime), (COLD, "empty")))
        for regime in _MISLEADING
        if regime in summary.regimes
    ]  # fmt: skip
    rows.append(_cold(summary))
    return [row for row in rows if row]


def verdict(known: Ratio, bar: float) -> str:
    """Whether a ratio is at most `bar`, in words."""
    if known.value > bar:
        within = ", within the interval" if known.low <= bar else ""
        return f"missed by {known.value - bar:.2f}{within}"
    return "met" if known.high <= bar else "met, but the interval reaches beyond"


def _row(letter: str, words: str, bar: float, known: Ratio | None) -> tuple[str, ...]:
    if known is None:
        return ()
    return letter, words, f"≤ {bar:.2f}", in_words(known), verdict(known, bar)


def _rank(summary: Summary) -> tuple[str, ...]:
    known = ranks(summary, "normal")
    others = {method: rank for method, rank in known.items() if method != WARM}
    if WARM not in known or not others:
        return ()
    best = min(others, key=lambda each: others[each])
    beaten = {
        method
        for method, chance in chances(summary, "normal").items()
        if chance < _SIGNIFICANT and known[WARM] < others.get(method, 0.0)
    }
    if known[WARM] > others[best]:
        so = f"missed by {known[WARM] - others[best]:.2f}"
    elif len(beaten) < len(others):
        place = "the best" if known[WARM] < others[best] else "level with the best"
        so = f"{place}, but significantly better than {len(beaten)} of {len(others)} alone"
    else:
        so = "met"
    reached = f"{known[WARM]:.2f} of {len(known)}; the best other: {LABELS[best]}, "
    return (
        "b",
        "mean rank of WarmStartOracle by area",
        f"the best, p < {_SIGNIFICANT} against each",
        f"{reached}{others[best]:.2f}",
        so,
    )


def _cold(summary: Summary) -> tuple[str, ...]:
    # Without a past, average rank is random search once more.
    aside = (WARM, COLD, AVERAGE_RANK)
    peers = [each for each in summary.methods if each not in aside and summary.of(each, "empty")]
    if not peers or not summary.of(COLD, "empty"):
        return ()
    best = min(peers, key=lambda each: mean_area(summary, each, "empty"))
    known = ratio(summary, (COLD, "empty"), (best, "empty"))
    words = f"area with no history / the best cold peer ({LABELS[best]})"
    return _row("d", words, 1.0, known)
