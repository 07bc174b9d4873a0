"""The report's section on what earlier searches gave to this one."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from markupsafe import Markup

from models.history.contribution import Contribution, LeftOut, Origin, SourceContribution
from pipeline.report.artifacts import Artifacts
from pipeline.report.charts import (
    Axis,
    Band,
    Series,
    area_chart,
    line_chart,
    nice_ticks,
    whole_ticks,
)
from pipeline.report.run_view import Figure, duration
from pipeline.report.search_view import score_name

_MOST_SOURCES = 12
_MOST_CELLS = 300
_COLOURS: Final = ("first", "second", "third", "fourth")
"""Number of sources with a colour of their own in the chart; the others share one."""
_ORIGINS: Final[dict[Origin, str]] = {
    "portfolio": "did well in earlier searches",
    "model": "predicted from earlier searches and this one",
    "cold": "predicted from this search alone",
    "random": "at random",
}


@dataclass(frozen=True)
class SourceRow:
    """One earlier search, as text but for `weight`, its mean share of the model's weight, 0..1."""

    name: str
    trials: int
    shared: int
    weight: float
    agreement: str
    words: str
    dropped: str


@dataclass(frozen=True)
class Trial:
    """Where a trial came from: `number` from 1, `origin` a key of the legend, `words` for a tip."""

    number: int
    origin: Origin
    words: str


@dataclass(frozen=True)
class ContributionView:
    """What the section shows.

    Attributes:
        words: all of it in a sentence or two.
        figures: numbers of searches used and of random trials saved, and the time that these would
            have taken; empty without a past.
        scores: best score against trials, with what a random search would be expected to have;
            None with too few trials.
        weights: shares of the model's weight against trials; None without a source.
        legend: names and styles of the weights' bands, from the top down.
        origins: of the trials: key, words and how many.
        trials: the first trials in order.
        more_trials: number of the other trials.
        sources: those of greatest weight.
        more_sources: number of the other sources.
        left_out: the first of the searches that could not be used.
        more_left_out: number of the others.
    """

    words: str
    figures: list[Figure]
    scores: Markup | None
    weights: Markup | None
    legend: list[tuple[str, str]]
    origins: list[tuple[Origin, str, int]]
    trials: list[Trial]
    more_trials: int
    sources: list[SourceRow]
    more_sources: int
    left_out: Sequence[LeftOut]
    more_left_out: int


def contribution_view(found: Artifacts) -> ContributionView | None:
    """Builds the section; None when the search did not look at earlier ones."""
    given = found.contribution
    if given is None:
        return None
    sources = sorted(given.sources, key=lambda source: -source.mean_weight)
    bands = _bands(sources, given.cold_weights)
    counts = Counter(proposal.origin for proposal in given.proposals)
    return ContributionView(
        words=_words(given),
        figures=_figures(given),
        scores=_scores(given, *_measure(found)),
        weights=_weights(bands) if sources else None,
        legend=[(band.name, band.style) for band in reversed(bands)],
        origins=[(key, words, counts[key]) for key, words in _ORIGINS.items() if counts[key]],
        trials=_trials(given),
        more_trials=max(0, len(given.proposals) - _MOST_CELLS),
        sources=[_row(source) for source in sources[:_MOST_SOURCES]],
        more_sources=max(0, len(sources) - _MOST_SOURCES),
        left_out=given.left_out[:_MOST_SOURCES],
        more_left_out=max(0, len(given.left_out) - _MOST_SOURCES),
    )


def _words(given: Contribution) -> str:
    if given.sources:
        return given.words
    if given.left_out:
        return "No earlier search could be learned from, so this one started cold."
    return (
        "This was the first search: there was no earlier one to learn from. "
        "Later ones will start from what it found."
    )


def _figures(given: Contribution) -> list[Figure]:
    if not given.sources:
        return []
    dropped = sum(source.dropped_after is not None for source in given.sources)
    notes = [f"{dropped} dropped on the way"] if dropped else []
    notes += [f"{len(given.left_out)} left out"] if given.left_out else []
    figures = [Figure("Earlier searches", f"{len(given.sources)}", ", ".join(notes))]
    if given.trials_saved is not None:
        note = f"beside the {len(given.proposals)} made"
        figures.append(Figure("Random trials saved", f"about {given.trials_saved}", note))
    if given.seconds_saved is not None:
        figures.append(
            Figure("Time saved", f"about {duration(given.seconds_saved)}", "of random trials")
        )
    return figures


def _measure(found: Artifacts) -> tuple[str, bool]:
    """Name of the score, and whether the search minimised it."""
    if found.history is None:
        return "score", False
    return score_name(found.history), found.history.header.search.direction == "min"


def _scores(given: Contribution, metric: str, lower_is_better: bool) -> Markup | None:
    sign = -1.0 if lower_is_better else 1.0
    finished = [
        (each.order + 1.0, each.score) for each in given.proposals if each.score is not None
    ]
    if len(finished) < 2:
        return None
    best = accumulate((score for _, score in finished), max)
    lines = [(x, sign * y) for (x, _), y in zip(finished, best, strict=True)]
    series = [Series("best so far", lines)]
    if given.sources and len(given.expected_random) > 1:
        random = [(place + 1.0, sign * y) for place, y in enumerate(given.expected_random)]
        series.append(Series("expected of random search", random, "second"))
    points = [point for each in series for point in each.points]
    heights = [y for _, y in points]
    return line_chart(
        "Best score so far, beside what a random search would be expected to have",
        series,
        Axis("trial", whole_ticks(int(max(x for x, _ in points)))),
        Axis(metric, nice_ticks(min(heights), max(heights))),
    )


def _bands(sources: Sequence[SourceContribution], own: Sequence[float]) -> list[Band]:
    named = sources[: len(_COLOURS)]
    bands = [Band("this search itself", own, "own")]
    bands += [
        Band(source.name, source.weights, style)
        for source, style in zip(named, _COLOURS, strict=False)
    ]
    others = sources[len(named) :]
    if others:
        together = [sum(shares) for shares in zip(*(each.weights for each in others), strict=True)]
        bands.append(Band(f"{len(others)} more", together, "rest"))
    return bands


def _weights(bands: Sequence[Band]) -> Markup | None:
    count = len(bands[0].shares)
    if count < 2:
        return None
    ticks = whole_ticks(count)
    # The areas reach to the frame's right edge, so the axis ends where they do.
    inside = tuple(tick for tick in ticks if tick < count)
    return area_chart(
        "Share of each search in the model that proposes trials",
        bands,
        Axis("finished trials", (*inside, float(count))),
        Axis("share of the weight", (0.0, 0.25, 0.5, 0.75, 1.0)),
    )


def _trials(given: Contribution) -> list[Trial]:
    return [
        Trial(
            number=each.order + 1,
            origin=each.origin,
            words=f"trial {each.order + 1}, {_ORIGINS[each.origin]}: "
            + ("failed" if each.score is None else f"{each.score:.4f}"),
        )
        for each in given.proposals[:_MOST_CELLS]
    ]


def _row(source: SourceContribution) -> SourceRow:
    after, agreement = source.dropped_after, source.rank_agreement
    return SourceRow(
        name=source.name,
        trials=source.trials,
        shared=source.shared_parameters,
        weight=source.mean_weight,
        agreement="–" if agreement is None else f"{agreement:+.2f}".replace("-", "−"),
        words=source.words,
        dropped="" if after is None else f"dropped after {after} trial{'' if after == 1 else 's'}",
    )
