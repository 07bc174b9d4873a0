"""Earlier searches mapped into the space of a new one, and what each has to say there."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, norm, rankdata

from models.history.contribution import LeftOut
from models.history.past_search import PastSearch
from models.history.records import TaskDescription
from models.oracles.warm.arrays import Floats
from models.oracles.warm.encoding import SpaceEncoder
from models.oracles.warm.gaussian_process import Process
from models.oracles.warm.kernel import Kernel, fit_kernel

_FEWEST_TRIALS = 5
_FEWEST_SHARED = 0.5
_HAS_VALUE = 0.8
"""Share of the trials in which a parameter applies that need a value of it to count as shared."""

_MOSTLY_WITHIN = 0.5

_LENGTH = 2.0
"""Of what earlier searches have in common a smoother shape is expected than of a single search's
scores: what is jagged in one is its own luck."""

_SEARCHES_FITTED = 10
_TRIALS_FITTED = 60
_TRIALS_TO_JUDGE = 50
"""Fewer say too little. Those of a search that went after the best are nearly all good, and how
they rank is noise: rank agreement -0.1 to 0.2 in a third of such searches of 20 to 40 trials."""

_USUAL_TAU = 0.4
"""What is taken for that of a search with fewer."""

_NOISE_TAU = 3.0
"""Over the root of the number of trials: what permuted scores hardly ever reach. Their rank
agreement has a standard deviation of 1.1 over that root (313 searches of 60 trials); that of real
searches of 60 random trials was 0.59 at least."""


@dataclass(frozen=True)
class Mapped:
    """An earlier search in the new search's space.

    Attributes:
        past: the search.
        shared: which parameters of the new search it has, bool [p].
        points: its usable trials, float64 [n, p]; NaN where a parameter is not shared or does not
            apply to the trial.
        scores: float64 [n].
    """

    past: PastSearch
    shared: NDArray[np.bool_]
    points: Floats
    scores: Floats


@dataclass(frozen=True)
class Source:
    """An earlier search that has something to say.

    Attributes:
        mapped: its trials.
        mask: which features of the space it knows, bool [d].
        surrogate: of its normal scores, over features.
        tau: how well the surrogate ranks each of its trials from the others, Kendall, -1 to 1.
    """

    mapped: Mapped
    mask: NDArray[np.bool_]
    surrogate: Process
    tau: float

    @property
    def name(self) -> str:
        """Of the search, for people."""
        return self.mapped.past.name

    @property
    def gap(self) -> float:
        """Score from the median of its trials to the best, above 0."""
        scores = self.mapped.scores
        return max(float(scores.max() - np.median(scores)), 1e-6)

    @property
    def is_judged(self) -> bool:
        """Whether its trials are enough to tell what it is worth."""
        return len(self.mapped.scores) >= _TRIALS_TO_JUDGE

    @property
    def quality(self) -> float:
        """What it is worth before any trial of the new search, above 0."""
        tau = self.tau if self.is_judged else max(self.tau, _USUAL_TAU)
        return max(tau, 0.05) ** 2

    def predict(self, features: Floats) -> Floats:
        """Expected normal score at features [m, d] of the new search, float64 [m]."""
        return self.surrogate.mean(_project(features, self.mask))


@dataclass(frozen=True)
class Knowledge:
    """What all earlier searches have to say together.

    Attributes:
        sources: that are listened to.
        left_out: that are not.
        residual: kernel of how a task differs from what the others lead to expect.
    """

    sources: tuple[Source, ...]
    left_out: tuple[LeftOut, ...]
    residual: Kernel


def learn(past: Sequence[PastSearch], encoder: SpaceEncoder) -> Knowledge | None:
    """Maps earlier searches into a space and fits a surrogate to each.

    Scores become normal scores (their ranks' quantiles), so that searches on hard and easy tasks
    weigh the same: Salinas et al., A Quantile-based Approach for Hyperparameter Transfer Learning
    (ICML 2020). One kernel serves all surrogates, and one describes how each search differs from
    what the others predict: where they disagree, little is expected of them on the new task.

    Args:
        past: earlier searches.
        encoder: of the new search's space.

    Returns:
        None when there is no earlier search at all.
    """
    if not past:
        return None
    mapped: list[Mapped] = []
    left_out: list[LeftOut] = []
    for search in past:
        outcome = _map(search, encoder)
        if isinstance(outcome, Mapped):
            mapped.append(outcome)
        else:
            left_out.append(outcome)
    sources = _fit(mapped, encoder)
    noise = [source for source in sources if _is_noise(source)]
    left_out += [
        LeftOut(
            name=source.name,
            reason=f"its scores look like noise: what {len(source.mapped.scores)} trials show "
            f"does not predict one another (rank agreement {source.tau:.2f})",
        )
        for source in noise
    ]
    heard = tuple(source for source in sources if not _is_noise(source))
    return Knowledge(heard, tuple(left_out), _residual_kernel(heard, encoder))


def similarity(source: Source, task: TaskDescription | None) -> float:
    """Share of belief before the first trial, from the source itself and the descriptions.

    Numbers of images and classes tell a little about which hyperparameters will do; the distance
    between embeddings tells next to nothing. What counts more is what trials will show.

    Returns:
        Above 0; to be compared among sources.
    """
    quality = source.quality
    other = source.mapped.past.task
    if task is None or other is None:
        return quality
    if other.data_fingerprint == task.data_fingerprint and task.data_fingerprint:
        return 4.0 * quality
    apart = abs(np.log(max(other.images, 1) / max(task.images, 1)))
    apart += abs(np.log(max(other.classes, 1) / max(task.classes, 1)))
    return quality * float(np.exp(-0.25 * apart))


def normal_scores(scores: Floats) -> Floats:
    """Scores by their rank: the normal distribution's quantiles, float64 [n]."""
    return np.asarray(norm.ppf((rankdata(scores) - 0.5) / len(scores)))


def _map(past: PastSearch, encoder: SpaceEncoder) -> Mapped | LeftOut:
    count = len(encoder.parameters)
    if not count:
        return LeftOut(name=past.name, reason="no hyperparameter of this search varies")
    past = past.called(hp.name for hp in encoder.parameters)
    points = np.array([encoder.locate(values) for values in past.values]).reshape(-1, count)
    applies = encoder.applies(points)
    asked = applies.sum(axis=0)
    # A value outside the range is one too many for its trial, but the search has the parameter.
    given = (applies & ~np.isnan(points)).sum(axis=0)
    shared = (asked > 0) & (given / np.maximum(asked, 1) >= _HAS_VALUE)
    needed = _FEWEST_SHARED * (asked > 0).sum()
    if shared.sum() < needed:
        where = "" if asked.all() else " that apply to its trials"
        reason = (
            f"it has {shared.sum()} of this search's {(asked > 0).sum()} hyperparameters{where}"
        )
        return LeftOut(name=past.name, reason=reason)
    heard = _heard(points, applies, shared, needed)
    usable = _within(points, applies, heard)
    if heard.sum() < needed or usable.sum() < _FEWEST_TRIALS:
        within = _within(points, applies, shared).sum()
        reason = f"{within} of its {len(usable)} trials lie in this search's ranges, too few"
        return LeftOut(name=past.name, reason=reason)
    shared, points, scores = heard, points[usable], past.scores[usable]
    if scores.max() - scores.min() < 1e-12:
        return LeftOut(name=past.name, reason="all of its trials scored the same")
    points[:, ~shared] = np.nan
    return Mapped(past, shared, points, scores)


def _heard(
    points: Floats, applies: NDArray[np.bool_], shared: NDArray[np.bool_], needed: float
) -> NDArray[np.bool_]:
    """The shared parameters whose ranges leave enough of the trials, bool [p].

    Where most values lie outside a range, the parameter is likely to mean something else, such as
    the learning rate of another optimiser: the source is not heard about it.

    Args:
        points: float64 [n, p]; infinite outside a range.
        applies: whether a parameter applies to a trial, bool [n, p].
        shared: bool [p].
        needed: parameters that must stay.
    """
    inside = (np.isfinite(points) | ~applies).sum(axis=0)
    heard = shared & (inside >= _MOSTLY_WITHIN * len(points))
    while heard.sum() > needed and _within(points, applies, heard).sum() < _FEWEST_TRIALS:
        heard[np.where(heard, inside, len(points) + 1).argmin()] = False
    return heard


def _within(
    points: Floats, applies: NDArray[np.bool_], shared: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Trials all of whose shared parameters lie in the ranges, bool [n]."""
    return np.asarray((np.isfinite(points) | ~applies)[:, shared].all(axis=1))


def _fit(mapped: Sequence[Mapped], encoder: SpaceEncoder) -> list[Source]:
    observed = [(encoder.features(each.points), normal_scores(each.scores)) for each in mapped]
    kernel = fit_kernel(
        [_sample(*each) for each in observed[:_SEARCHES_FITTED]], encoder.dimension, _LENGTH
    )
    sources = []
    for each, (features, scores) in zip(mapped, observed, strict=True):
        mask = encoder.spread(each.shared)
        surrogate = Process.after(kernel, _project(features, mask), scores)
        tau = kendalltau(surrogate.leave_one_out(), scores).statistic
        sources.append(Source(each, mask, surrogate, float(np.nan_to_num(tau))))
    return sources


def _is_noise(source: Source) -> bool:
    return source.is_judged and source.tau < _NOISE_TAU / np.sqrt(len(source.mapped.scores))


def _residual_kernel(sources: Sequence[Source], encoder: SpaceEncoder) -> Kernel:
    if not sources:
        return fit_kernel([], encoder.dimension, _LENGTH)
    if len(sources) == 1:
        # One search says nothing of how far tasks differ: half of its variance, then.
        return sources[0].surrogate.kernel.scaled(0.5)
    residuals = []
    for source in sources[:_SEARCHES_FITTED]:
        others = [other for other in sources if other is not source]
        weights = np.array([other.quality for other in others])
        features = encoder.features(source.mapped.points)
        expected = sum(
            weight * other.predict(features)
            for weight, other in zip(weights / weights.sum(), others, strict=True)
        )
        residual = normal_scores(source.mapped.scores) - expected
        residuals.append(_sample(features, residual - residual.mean()))
    return fit_kernel(residuals, encoder.dimension, _LENGTH)


def _sample(features: Floats, scores: Floats) -> tuple[Floats, Floats]:
    """At most some dozens of a search's trials, spread evenly: a fit takes their number cubed."""
    rows = np.linspace(0, len(scores) - 1, min(len(scores), _TRIALS_FITTED)).astype(int)
    return features[rows], scores[rows]


def _project(features: Floats, mask: NDArray[np.bool_]) -> Floats:
    """Features with those that a source does not know held still."""
    return np.where(mask, features, 0.5)
