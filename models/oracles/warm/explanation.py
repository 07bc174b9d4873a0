"""Puts into figures and words what earlier searches gave to a new one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import kendalltau, norm

from models.history.contribution import Contribution, Origin, Proposal, SourceContribution
from models.oracles.warm.arrays import Floats
from models.oracles.warm.belief import Belief
from models.oracles.warm.cold import ColdSearch
from models.oracles.warm.encoding import SpaceEncoder
from models.oracles.warm.ensemble import Weights, weigh
from models.oracles.warm.source_models import Knowledge, Source

_FEWEST_TO_COMPARE = 4

_DOUBTED = 0.5
"""Belief in the whole past before the first trial, below which it was doubted."""

_KEPT = 0.5
"""Share of its first weight with which a source still counts as believed."""

_MOST_DRAWS = 5
"""Random trials for each trial of the search; no more are said to be saved."""

_QUANTILES = norm.ppf((np.arange(16) + 0.5) / 16)
"""Of a score around what is expected of it, in standard deviations."""

_NEARLY = 0.85
"""Share of the way from the median configuration to the best found that counts as arrived. What
lies beyond is mostly the luck of the best score, and would be told of random searches too."""


@dataclass(frozen=True)
class Progress:
    """A search so far.

    Attributes:
        origins: of the ended trials, in order.
        scores: theirs; None for a failed one.
        points: theirs, float64 [n, p].
        observed: scores with failures replaced, float64 [n].
    """

    origins: tuple[Origin, ...]
    scores: tuple[float | None, ...]
    points: Floats
    observed: Floats


def explain(
    knowledge: Knowledge | None,
    priors: Floats,
    encoder: SpaceEncoder,
    cold: ColdSearch,
    own: Belief | None,
    progress: Progress,
    seconds_per_trial: float | None,
) -> Contribution:
    """Puts together the contribution.

    Args:
        knowledge: of the sources; None without a past.
        priors: belief in each source before the first trial, float64 [s], as `weigh` takes them.
        encoder: of the space.
        cold: the search without a past.
        own: what the trials themselves lead to expect; None with fewer than two.
        progress: the trials.
        seconds_per_trial: to tell the time saved; None if unknown.
    """
    sources = knowledge.sources if knowledge else ()
    over_time, predictions = _weights_over_time(knowledge, priors, encoder, progress)
    described = tuple(
        _describe(index, source, over_time, predictions[index], progress.observed)
        for index, source in enumerate(sources)
    )
    expected = _expected_random(own, encoder, cold, len(progress.scores))
    saved = _trials_saved(own, encoder, cold, progress.observed) if sources else None
    return Contribution(
        sources=described,
        left_out=knowledge.left_out if knowledge else (),
        cold_weights=tuple(weights.cold for weights in over_time) if sources else _ones(progress),
        proposals=tuple(
            Proposal(order=order, origin=origin, score=score)
            for order, (origin, score) in enumerate(
                zip(progress.origins, progress.scores, strict=True)
            )
        ),
        expected_random=expected,
        trials_saved=saved,
        seconds_saved=None
        if saved is None or seconds_per_trial is None
        else saved * seconds_per_trial,
        words=_words(knowledge, float(priors.sum()) < _DOUBTED, over_time, saved),
    )


def _ones(progress: Progress) -> tuple[float, ...]:
    return (1.0,) * len(progress.scores)


def _weights_over_time(
    knowledge: Knowledge | None, priors: Floats, encoder: SpaceEncoder, progress: Progress
) -> tuple[list[Weights], Floats]:
    """Weights after each trial, and what each source expected of each, float64 [s, n]."""
    if knowledge is None or not knowledge.sources:
        return [], np.zeros((0, len(progress.scores)))
    features = encoder.features(progress.points)
    predictions = np.array([source.predict(features) for source in knowledge.sources])
    weights = [
        weigh(priors, predictions, progress.observed, knowledge.residual, count)
        for count in range(1, len(progress.scores) + 1)
    ]
    return weights, predictions


def _describe(
    index: int, source: Source, over_time: Sequence[Weights], expected: Floats, scores: Floats
) -> SourceContribution:
    weights = tuple(float(np.clip(each.sources[index], 0.0, 1.0)) for each in over_time)
    dropped = over_time[-1].dropped_after[index] if over_time else None
    agreement = None
    if len(scores) >= _FEWEST_TO_COMPARE:
        tau = kendalltau(expected, scores).statistic
        agreement = None if np.isnan(tau) else float(tau)
    return SourceContribution(
        name=source.name,
        trials=len(source.mapped.scores),
        shared_parameters=int(source.mapped.shared.sum()),
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


def _random_scores(own: Belief, encoder: SpaceEncoder, cold: ColdSearch) -> Floats:
    """Scores that random trials would show, in order, float64 [c].

    Of configurations all over the space, each with what is not known of it and the noise of a
    score. Without these the scores seen, the best of which owes much to luck, would be out of
    reach of any number of random trials.
    """
    features = encoder.features(cold.spread)
    mean, spread = own.predict(features, np.zeros(len(features)))
    deviation = np.hypot(spread, own.scale * np.sqrt(own.deviation.kernel.noise))
    return np.sort(own.to_scores(mean[:, None] + deviation[:, None] * _QUANTILES), axis=None)


def _best_of(ordered: Floats, draws: Floats) -> Floats:
    """Expected best of random draws from ordered scores [c], for numbers of draws [n]."""
    count = len(ordered)
    ranks = np.arange(count + 1) / count
    chances = np.diff(ranks[None, :] ** draws[:, None], axis=1)
    return np.asarray(chances @ ordered)


def _expected_random(
    own: Belief | None, encoder: SpaceEncoder, cold: ColdSearch, trials: int
) -> tuple[float, ...]:
    """Expected best score of a random search, by number of trials.

    Not of the cold search, which learns from its own trials: it would have to be made.
    """
    if own is None:
        return ()
    ordered = _random_scores(own, encoder, cold)
    return tuple(float(best) for best in _best_of(ordered, np.arange(1.0, trials + 1)))


def _trials_saved(
    own: Belief | None, encoder: SpaceEncoder, cold: ColdSearch, scores: Floats
) -> int | None:
    """How many more random trials it would take to come nearly as far as the best trial.

    A search that was random itself comes out little above 0.
    """
    if own is None:
        return None
    ordered = _random_scores(own, encoder, cold)
    median = float(np.median(ordered))
    goal = median + _NEARLY * (float(scores.max()) - median)
    arrived = int(np.argmax(scores >= goal)) + 1
    missed = float(np.mean(ordered < goal))
    most = _MOST_DRAWS * len(scores)
    # As many as arrive as likely as not; at least one.
    needed = most if missed == 1.0 else np.ceil(np.log(0.5) / np.log(max(missed, 0.5)))
    return max(int(min(needed, most)) - arrived, 0)


def _words(
    knowledge: Knowledge | None, doubted: bool, over_time: Sequence[Weights], saved: int | None
) -> str:
    if knowledge is None:
        return "There was no earlier search to learn from."
    if not knowledge.sources:
        return f"None of {len(knowledge.left_out)} earlier searches could be learned from."
    count = len(knowledge.sources)
    start = f"The search started from {count} earlier {'one' if count == 1 else 'ones'}"
    if doubted:
        start += ", which it doubted: they call the middle of its ranges bad"
    if not over_time:
        return f"{start}."
    dropped = sum(after is not None for after in over_time[-1].dropped_after)
    if dropped == count:
        return f"{start}; they misled it, were all dropped, and it went on by itself."
    parts = [f"{start}; at the end they have {1 - over_time[-1].cold:.0%} of the weight"]
    if dropped:
        parts.append(f"{dropped} misled and {'was' if dropped == 1 else 'were'} dropped")
    if saved:
        parts.append(f"about {saved} random trials were saved")
    return ", ".join(parts) + "."
