"""What earlier searches expect of a configuration, each by itself and all together."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kendalltau, norm, rankdata
from sklearn.ensemble import ExtraTreesRegressor

from models.history.contribution import LeftOut
from models.history.past_search import PastSearch
from models.oracles.warm.encoding import Floats, SpaceEncoder
from models.oracles.warm.mapping import Mapped, map_past

_TREES = 50
_FEWEST_IN_LEAF = 3
_COLUMNS_TRIED = 0.5

_TRIALS_TO_JUDGE = 100
"""Fewer say too little: with 60 trials in a space of twenty hyperparameters, half of all true
searches do not predict themselves either."""

_NOISE_TAU = 2.2
"""Over the root of the number of trials: permuted scores have a standard deviation of 0.9 there,
and came to 2.2 at most, 90 times; of 30 true tables, one was below."""


class PastModel:
    """Extremely randomised trees (Geurts, Ernst and Wehenkel, 2006), of each search and of all.

    Those of all see what no search could tell alone. Each search fills their leaves by its weight,
    so that one that misleads is not heard, although it had a say in where they split.

    Scores become normal scores (their ranks' quantiles), so that searches on hard and easy tasks
    weigh the same: Salinas et al., A Quantile-based Approach for Hyperparameter Transfer Learning
    (ICML 2020).

    Attributes:
        sources: that are listened to.
        left_out: that are not, and why.
    """

    def __init__(self, past: Sequence[PastSearch], encoder: SpaceEncoder) -> None:
        """Maps the searches into the space, and grows the trees.

        Args:
            past: earlier searches, in any space.
            encoder: of the new search's space.
        """
        self.sources: list[Mapped] = []
        self.left_out: list[LeftOut] = []
        self._alone: list[ExtraTreesRegressor] = []
        heard: list[tuple[Floats, Floats]] = []
        for search in past:
            mapped = map_past(search, encoder)
            if isinstance(mapped, LeftOut):
                self.left_out.append(mapped)
                continue
            features, scores = encoder.features(mapped.points), normal_scores(mapped.scores)
            forest = _grow(features, scores, is_judged=len(scores) >= _TRIALS_TO_JUDGE)
            if noise := _noise(forest, scores):
                self.left_out.append(LeftOut(name=search.name, reason=noise))
                continue
            self.sources.append(mapped)
            self._alone.append(forest)
            heard.append((features, scores))
        if heard:
            self._fill(heard)

    def _fill(self, heard: Sequence[tuple[Floats, Floats]]) -> None:
        """Grows the trees of all searches, and counts what each has in their leaves."""
        everything = [np.concatenate(each) for each in zip(*heard, strict=True)]
        self._together = _grow(*everything, is_judged=False)
        sizes = [each.tree_.node_count for each in self._together.estimators_]
        self._offsets = np.cumsum([0, *sizes[:-1]])
        self._sums = np.zeros((len(heard), sum(sizes)))
        self._counts = np.zeros_like(self._sums)
        for number, (features, scores) in enumerate(heard):
            leaves = self._leaves(features)
            np.add.at(self._sums[number], leaves, scores[:, None])
            np.add.at(self._counts[number], leaves, 1.0)

    def expect(self, features: Floats, weights: Floats) -> Floats:
        """What all searches expect together, in normal scores.

        Args:
            features: float64 [m, d].
            weights: of a trial of each search, float64 [s], their sum above 0.

        Returns:
            float64 [m].
        """
        heard = np.maximum(weights @ self._counts, 1e-12)
        return np.asarray(((weights @ self._sums) / heard)[self._leaves(features)].mean(axis=1))

    def by_source(self, features: Floats) -> Floats:
        """What each search expects by itself, in normal scores, float64 [s, m]."""
        expected = [each.predict(features) for each in self._alone if len(features)]
        return np.array(expected).reshape(len(self._alone), len(features))

    def _leaves(self, features: Floats) -> NDArray[np.intp]:
        return np.asarray(self._together.apply(features) + self._offsets, np.intp)


def normal_scores(scores: Floats) -> Floats:
    """Scores by their rank: the normal distribution's quantiles, float64 [n]."""
    return np.asarray(norm.ppf((rankdata(scores) - 0.5) / len(scores)))


def _grow(features: Floats, scores: Floats, *, is_judged: bool) -> ExtraTreesRegressor:
    """Trees; those that are to be judged leave out some trials each, to predict these."""
    return ExtraTreesRegressor(
        _TREES,
        min_samples_leaf=_FEWEST_IN_LEAF,
        max_features=_COLUMNS_TRIED,
        bootstrap=is_judged,
        oob_score=is_judged,
        random_state=0,
    ).fit(features, scores)


def _noise(forest: ExtraTreesRegressor, scores: Floats) -> str:
    """Why a search is noise, whose trials do not predict one another; "" where they do."""
    if not forest.oob_score:
        return ""
    tau = float(kendalltau(forest.oob_prediction_, scores).statistic)
    if tau >= _NOISE_TAU / np.sqrt(len(scores)):
        return ""
    return (
        f"its scores look like noise: what {len(scores)} trials show does not predict one another "
        f"(rank agreement {tau:.2f})"
    )
