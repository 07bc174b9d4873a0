"""Puts into figures and words what earlier searches gave to a new one."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import kendalltau

from models.history.contribution import Contribution, LeftOut, Proposal, SourceContribution
from models.oracles.warm.encoding import Floats
from models.oracles.warm.ensemble import Weights, weigh
from models.oracles.warm.mapping import Mapped

_FEWEST_TO_COMPARE = 4

_KEPT = 0.5
"""Share of its first weight with which a source still counts as believed."""


def explain(
    sources: Sequence[Mapped],
    left_out: Sequence[LeftOut],
    priors: Floats,
    predictions: Floats,
    scores: Floats,
    proposals: Sequence[Proposal],
) -> Contribution:
    """Puts together the contribution.

    Args:
        sources: that were listened to.
        left_out: that were not.
        priors: belief in each source before the first trial, float64 [s], as `weigh` takes them.
        predictions: of each source for each ended trial, float64 [s, n], likewise.
        scores: of the ended trials, float64 [n], likewise.
        proposals: the ended trials.
    """
    counts = range(1, len(scores) + 1)
    over_time = [weigh(priors, predictions[:, :count], scores[:count]) for count in counts]
    described = zip(sources, predictions, range(len(sources)), strict=True)
    return Contribution(
        sources=tuple(
            _describe(
                source,
                tuple(float(each.sources[number]) for each in over_time),
                over_time[-1].dropped_after[number] if over_time else None,
                _agreement(expected, scores),
            )
            for source, expected, number in described
        ),
        left_out=tuple(left_out),
        cold_weights=tuple(each.cold for each in over_time),
        proposals=tuple(proposals),
        words=_words(len(sources), len(left_out), over_time),
    )


def _agreement(expected: Floats, scores: Floats) -> float | None:
    if len(scores) < _FEWEST_TO_COMPARE:
        return None
    tau = float(kendalltau(expected, scores).statistic)
    return None if np.isnan(tau) else tau


def _describe(
    source: Mapped, weights: tuple[float, ...], dropped: int | None, agreement: float | None
) -> SourceContribution:
    return SourceContribution(
        name=source.past.name,
        trials=len(source.scores),
        shared_parameters=int(source.shared.sum()),
        weights=weights,
        rank_agreement=agreement,
        dropped_after=dropped,
        words=_source_words(weights, dropped, agreement),
    )


def _source_words(weights: Sequence[float], dropped: int | None, agreement: float | None) -> str:
    if dropped is not None:
        return f"Dropped after {dropped} trials: it ranked them worse than chance would."
    if not weights:
        return "No trial has ended yet."
    share = f"{weights[0]:.0%} of the weight at first, {weights[-1]:.0%} at the end"
    if agreement is None:
        return f"{share}."
    verdict = "like" if agreement > 0.4 else "somewhat like" if agreement > 0.1 else "unlike"
    words = f"{share}; it ranks this search's trials {verdict} their scores (tau {agreement:.2f})"
    if verdict == "unlike" and weights[-1] > _KEPT * weights[0]:
        return f"{words}. Its weight goes by how far apart it had expected them, and mostly held."
    return f"{words}."


def _words(count: int, left_out: int, over_time: Sequence[Weights]) -> str:
    if not count and not left_out:
        return "There was no earlier search to learn from."
    if not count:
        return f"None of {left_out} earlier searches could be learned from."
    start = f"The search started from {count} earlier {'one' if count == 1 else 'ones'}"
    if not over_time:
        return f"{start}."
    dropped = sum(after is not None for after in over_time[-1].dropped_after)
    if dropped == count:
        return f"{start}; they misled it, were all dropped, and it went on by itself."
    parts = [f"{start}; at the end they have {1 - over_time[-1].cold:.0%} of the weight"]
    if dropped:
        parts.append(f"{dropped} misled and {'was' if dropped == 1 else 'were'} dropped")
    return ", ".join(parts) + "."
