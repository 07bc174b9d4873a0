"""The oracle that starts from earlier searches."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial

from models.history.contribution import Contribution, Origin
from models.history.past_search import PastSearch, check_past, score_of
from models.history.records import TaskDescription
from models.history.search_space import Value, Values
from models.oracles.leases import LeasingOracle
from models.oracles.warm.arrays import Floats
from models.oracles.warm.belief import Belief, believe, expected_improvement
from models.oracles.warm.cold import FIRST, ColdSearch, own_gap
from models.oracles.warm.encoding import SpaceEncoder
from models.oracles.warm.ensemble import COLD_PRIOR, DOUBTFUL_PRIOR, Weights, combine, weigh
from models.oracles.warm.explanation import Progress, explain
from models.oracles.warm.source_models import Knowledge, learn, similarity

_COMPLETED = "COMPLETED"
_FAILED = "FAILED"
_BEST_OF_SOURCE = 3
_FIRST_OWN_GAP = 5
_WORST = 0.25
_COLD_LEADS = 0.5
"""Above this weight of the cold search, the other trials are chosen as it chooses: exploring."""

_NEGLIGIBLE = 1e-3
"""Sources of less than this share of the heaviest one's weight are not asked."""


class WarmStartOracle(LeasingOracle):
    """Bayesian optimisation that starts from what earlier searches learned.

    The first trials are those that all earlier searches together expect most of. Then a Gaussian
    process around their common expectation and one of the search's own trials alone propose, each
    weighed by how well it ranks the trials so far (`models.oracles.warm.ensemble`).

    **The guard.** Every `cold_every`-th trial belongs to a search that knows nothing of the past
    nor of the other trials: proposal for proposal the search that this oracle would make without a
    past, with the same seed (a proposal that was tried already counts without being tried again).
    So after n trials, one at a time and beside those given as `first`, it has seen the first
    ⌊n / cold_every⌋ trials of the cold search at least, and where scores have no noise its best is
    no worse than the cold search's best after ⌊n / cold_every⌋. This holds whatever the past says.
    With noisy scores it holds for the best score seen, not for the truth behind it; with parallel
    trials the cold trials may be proposed with fewer scores known. A trial that is still running
    is not proposed again, and is otherwise ignored until it ends.

    Without a past every trial is the cold search's.

    >>> import keras_tuner
    >>> space = keras_tuner.HyperParameters()
    >>> rate = space.Float("rate", 1e-4, 1e-1, sampling="log")
    >>> oracle = WarmStartOracle(
    ...     keras_tuner.Objective("score", "max"), max_trials=10, hyperparameters=space, seed=1
    ... )
    >>> oracle.contribution().words
    'There was no earlier search to learn from.'
    """

    def __init__(
        self,
        objective: Any = None,
        max_trials: int = 10,
        past: Sequence[PastSearch] = (),
        *,
        task: TaskDescription | None = None,
        cold_every: int = 4,
        first: Sequence[Values] = (),
        seed: int | None = None,
        hyperparameters: keras_tuner.HyperParameters | None = None,
        allow_new_entries: bool = True,
        tune_new_entries: bool = True,
        max_retries_per_trial: int = 0,
        max_consecutive_failed_trials: int = 3,
        trial_timeout: float = 3600.0,
    ) -> None:
        """Takes the past; the rest is as for every Keras Tuner oracle.

        Args:
            objective: name or `keras_tuner.Objective`.
            max_trials: in all.
            past: earlier searches, in any space; those that do not fit are left out, with the
                reason in `contribution`.
            task: what is searched on, so that related searches weigh more from the start.
            cold_every: one trial in so many is the cold search's, at least 2.
            first: complete configurations to try before any other, such as the one in use; they
                do not count for `cold_every`.
            seed: proposals follow from it and from the scores alone; 0 and None draw one.
            hyperparameters: the space, where it is known in advance.
            allow_new_entries: whether the hypermodel may ask for others.
            tune_new_entries: whether those are searched.
            max_retries_per_trial: of a trial that crashed.
            max_consecutive_failed_trials: after which the search ends.
            trial_timeout: seconds after which a silent worker's trial goes to another one; see
                `models.oracles.leases`, also for how to search on many machines.

        Raises:
            TypeError: the past holds something else than past searches.
            ValueError: `cold_every` is below 2, or two past searches have one name.
        """
        if cold_every < 2:
            raise ValueError(f"cold_every takes 2 or more, but got {cold_every}")
        check_past(past)
        names = [search.name for search in past]
        if len(set(names)) != len(names):
            raise ValueError(f"past searches need names that differ, but got {sorted(names)}")
        super().__init__(
            objective=objective,
            max_trials=max_trials,
            hyperparameters=hyperparameters,
            allow_new_entries=allow_new_entries,
            tune_new_entries=tune_new_entries,
            seed=seed,
            max_retries_per_trial=max_retries_per_trial,
            max_consecutive_failed_trials=max_consecutive_failed_trials,
            trial_timeout=trial_timeout,
        )
        self._past = tuple(past)
        self._task = task
        self._cold_every = cold_every
        self._first = tuple(first)
        self._origins: dict[str, Origin] = {}
        self._space_key: tuple[str, ...] | None = None

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes values; Keras Tuner calls it.

        Returns:
            `status` "STOPPED" when every configuration of a finite space was tried.
        """
        self._prepare()
        if not self._encoder.parameters:
            self._origins[trial_id] = "cold"
            only = self._encoder.decode(np.zeros(0))
            return {"status": "STOPPED" if self.trials else "RUNNING", "values": only}
        origin, values = self._propose()
        if values is None:
            return {"status": "STOPPED", "values": None}
        self._origins[trial_id] = origin
        return {"status": "RUNNING", "values": values}

    def recommend(self) -> Trial:
        """The completed trial with the best expected score, not the luckiest one.

        Raises:
            ValueError: no trial has completed with a finite score.
        """
        completed = [trial for trial in self._ended() if self._score(trial) is not None]
        if not completed:
            raise ValueError("no trial has completed, so none can be recommended")
        self._prepare()
        if not self._encoder.parameters:
            return completed[0]
        points, scores = self._observations()
        expected = self._expected(points, scores, self._encode(completed))
        return completed[int(expected.argmax())]

    def expected_gain(self) -> float:
        """What the most promising next trial is expected to add to the best score.

        Returns:
            In units of the score, 0 or more; infinity before two trials have ended. Where no
            hyperparameter varies there is one trial only, and 0 after it.
        """
        self._prepare()
        points, scores = self._observations()
        if len(scores) and not self._encoder.parameters:
            return 0.0
        if len(scores) < 2:
            return math.inf
        candidates = self._cold.candidates(points, scores)
        if not len(self._priors):
            own = self._cold.belief(points, scores)
            return float(self._cold.gain(own, points, candidates).max())
        return float(self._gain(points, scores, candidates).max())

    def contribution(self, seconds_per_trial: float | None = None) -> Contribution:
        """What earlier searches gave to this one, so far.

        Args:
            seconds_per_trial: to tell the time saved.
        """
        self._prepare()
        points, scores = self._observations()
        is_known = len(scores) > 1 and self._encoder.parameters
        own = self._cold.belief(points, scores) if is_known else None
        progress = Progress(
            origins=tuple(self._origins.get(name, "random") for name in self.end_order),
            scores=tuple(self._score(trial) for trial in self._ended()),
            points=points,
            observed=scores,
        )
        return explain(
            self._knowledge,
            self._priors,
            self._encoder,
            self._cold,
            own,
            progress,
            seconds_per_trial,
        )

    def get_state(self) -> dict[str, Any]:
        """The state that a reload needs beside the trials."""
        return {**super().get_state(), "origins": self._origins}

    def set_state(self, state: dict[str, Any]) -> None:
        """Takes up the state of `get_state`."""
        super().set_state(state)
        self._origins = dict(state["origins"])

    def _prepare(self) -> None:
        """Learns from the past, once for each space: a hypermodel may add to it on the way."""
        key = tuple(repr(hp.get_config()) for hp in self.hyperparameters.space)
        if key == self._space_key:
            return
        self._space_key = key
        self._encoder = SpaceEncoder(self.hyperparameters)
        self._knowledge: Knowledge | None = None
        self._priors: Floats = np.zeros(0)
        self._cold = ColdSearch(self._encoder, self.seed)
        self._knowledge = learn(self._past, self._encoder)
        if self._knowledge and self._knowledge.sources:
            likely = [similarity(source, self._task) for source in self._knowledge.sources]
            believed = np.array(likely) / sum(likely)
            self._doubtful = self._past_is_doubtful(believed)
            self._priors = (1.0 - (DOUBTFUL_PRIOR if self._doubtful else COLD_PRIOR)) * believed

    def _propose(self) -> tuple[Origin, Values | None]:
        if len(self.trials) < len(self._first):
            return "cold", dict(self._first[len(self.trials)])
        points, scores = self._observations()
        if self._is_cold_turn():
            return "cold", self._cold_proposal()
        origin: Origin = "model" if len(scores) else "portfolio"
        return origin, self._first_new(self._warm_ranking(points, scores))

    def _is_cold_turn(self) -> bool:
        if not len(self._priors):
            return True
        count = len(self.trials) - len(self._first)
        if self._doubtful and count < FIRST:
            return True
        return count % self._cold_every == 1

    def _past_is_doubtful(self, believed: Floats) -> bool:
        """Whether the past counts the middle of the space among the worst quarter.

        People put ranges around what they believe in. Scores that stand the wrong way round show
        here before any trial; the search then starts cold and believes little of the past until
        its own trials bear it out. Only searches that are large enough to be judged are asked: a
        short one that went after the best knows little else.
        """
        assert self._knowledge is not None
        judged = np.array([source.is_judged for source in self._knowledge.sources])
        shape = self._shape(judged * believed, self._cold.spread)
        middle = self._shape(judged * believed, self._cold.middle[None])[0]
        return bool(np.quantile(shape, _WORST) > middle)

    def _cold_proposal(self) -> Values | None:
        """The next proposal of the cold search, replayed from its start.

        A proposal that was tried already, by whomever, is the cold search's next trial, and the
        search is asked for the one after it.
        """
        known = {_freeze(trial.hyperparameters.values): trial for trial in self.trials.values()}
        stream: list[Trial] = []
        while True:
            ended = [trial for trial in stream if trial.status in (_COMPLETED, _FAILED)]
            ranking = self._cold.ranking(self._encode(ended), self._scores(ended))
            values = self._first_new(ranking, stream)
            if values is None or _freeze(values) not in known:
                return values
            stream.append(known[_freeze(values)])

    def _first_new(self, ranking: Floats, tried: Sequence[Trial] | None = None) -> Values | None:
        """The first point of a ranking whose values are new, or any others; None if none are."""
        trials = self.trials.values() if tried is None else tried
        seen = {_freeze(trial.hyperparameters.values) for trial in trials}
        for point in ranking:
            values = self._encoder.decode(point)
            if _freeze(values) not in seen:
                return values
        return None

    def _warm_ranking(self, points: Floats, scores: Floats) -> Floats:
        """Candidates by expected gain, the best first, float64 [c, p]."""
        if len(scores) and self._weights(points, scores).cold > _COLD_LEADS:
            return self._cold.ranking(points, scores)
        best = self._best_of_sources()
        if len(scores) == 0:
            candidates = np.concatenate([best, self._cold.spread])
            gain = self._shape(self._priors, candidates)
        else:
            candidates = self._cold.candidates(points, scores, best)
            gain = self._gain(points, scores, candidates)
        return np.asarray(candidates[np.argsort(-gain, kind="stable")])

    def _gain(self, points: Floats, scores: Floats, candidates: Floats) -> Floats:
        """Expected improvement by the warm and the cold model, each by its weight."""
        weights = self._weights(points, scores)
        own = self._cold.belief(points, scores)
        gain = weights.cold * self._cold.gain(own, points, candidates)
        if weights.cold < 1.0:
            warm = self._warm_belief(weights, points, scores)
            seen, _ = self._warm_prediction(warm, weights, points)
            mean, spread = self._warm_prediction(warm, weights, candidates)
            gain = gain + (1.0 - weights.cold) * expected_improvement(
                mean, spread, float(seen.max())
            )
        return gain

    def _expected(self, points: Floats, scores: Floats, asked: Floats) -> Floats:
        """Expected scores at points [m, p], by all models, float64 [m]."""
        own = self._cold.belief(points, scores)
        mean, _ = own.predict(self._encoder.features(asked), np.zeros(len(asked)))
        if not len(self._priors):
            return mean
        weights = self._weights(points, scores)
        if weights.cold == 1.0:
            return mean
        warm = self._warm_belief(weights, points, scores)
        warm_mean, _ = self._warm_prediction(warm, weights, asked)
        return weights.cold * mean + (1.0 - weights.cold) * warm_mean

    def _weights(self, points: Floats, scores: Floats) -> Weights:
        assert self._knowledge is not None
        features = self._encoder.features(points)
        predictions = np.array([each.predict(features) for each in self._knowledge.sources])
        return weigh(self._priors, predictions, scores, self._knowledge.residual, len(scores))

    def _warm_belief(self, weights: Weights, points: Floats, scores: Floats) -> Belief:
        assert self._knowledge is not None
        gap = float(np.median([source.gap for source in self._knowledge.sources]))
        if len(scores) > _FIRST_OWN_GAP:
            # The past may have scored in other units.
            own = own_gap(scores)
            gap = float(np.clip(gap, 0.2 * own, 5.0 * own))
        shape = self._shape(weights.sources, points)
        features = self._encoder.features(points)
        return believe(self._knowledge.residual, features, scores, shape, gap, scale=gap)

    def _warm_prediction(
        self, belief: Belief, weights: Weights, points: Floats
    ) -> tuple[Floats, Floats]:
        shape = self._shape(weights.sources, points)
        return belief.predict(self._encoder.features(points), shape)

    def _shape(self, weights: Floats, points: Floats) -> Floats:
        """What the sources expect together, in normal scores, float64 [n]."""
        assert self._knowledge is not None
        features = self._encoder.features(points)
        heard = np.flatnonzero(weights > _NEGLIGIBLE * weights.max(initial=0.0))
        sources = [self._knowledge.sources[index] for index in heard]
        if not sources:
            return np.zeros(len(points))
        return combine(weights[heard], [source.predict(features) for source in sources])

    def _best_of_sources(self) -> Floats:
        """The best trials of each source, float64 [b, p]; the middle where it has no value."""
        assert self._knowledge is not None
        best = [
            source.mapped.points[np.argsort(-source.mapped.scores)[:_BEST_OF_SOURCE]]
            for source in self._knowledge.sources
        ]
        points = np.concatenate(best)
        return self._encoder.snap(np.where(np.isnan(points), 0.5, points))

    def _observations(self) -> tuple[Floats, Floats]:
        """Ended trials in order: points float64 [n, p], scores [n], higher is better."""
        trials = self._ended()
        return self._encode(trials), self._scores(trials)

    def _ended(self) -> list[Trial]:
        return [self.trials[name] for name in self.end_order]

    def _encode(self, trials: Sequence[Trial]) -> Floats:
        rows = [self._encoder.encode(trial.hyperparameters.values) for trial in trials]
        return np.array(rows).reshape(len(rows), len(self._encoder.parameters))

    def _scores(self, trials: Sequence[Trial]) -> Floats:
        """A failed trial counts like the worst that did not fail."""
        scores = [self._score(trial) for trial in trials]
        worst = min((score for score in scores if score is not None), default=0.0)
        return np.array([worst if score is None else score for score in scores])

    def _score(self, trial: Trial) -> float | None:
        """Higher is better; None for a failed trial."""
        return score_of(trial, self.objective.direction)


def _freeze(values: Mapping[str, Value]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, repr(value)) for name, value in values.items()))
