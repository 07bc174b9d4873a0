"""The oracle that starts from earlier searches."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from keras_tuner.engine.trial import Trial

from models.history.contribution import Contribution, Origin, Proposal
from models.history.past_search import PastSearch, score_of
from models.history.records import TaskDescription
from models.history.search_space import Value, Values
from models.oracles.leases import LeasingOracle
from models.oracles.warm.encoding import Floats, SpaceEncoder
from models.oracles.warm.ensemble import COLD_PRIOR, weigh
from models.oracles.warm.explanation import explain
from models.oracles.warm.past_model import PastModel
from models.oracles.warm.ranking import Expectation, Ranking, nothing

_BEST_OF_SOURCE = 3

_COLD_LEADS = 0.5
"""Above this weight of the cold search, the other trials are its own too."""


class WarmStartOracle(LeasingOracle):
    """Bayesian optimisation that starts from what earlier searches learned.

    The first trials are those that all earlier searches together expect most of. Then a Gaussian
    process around their common expectation proposes, in which each weighs by how well it ranks the
    trials so far (`models.oracles.warm.ensemble`). Where the trials speak against all of them, the
    cold search goes on.

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
        **kwargs: Any,
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
            **kwargs: `hyperparameters`, `seed` (proposals follow from it and from the scores alone;
                0 and None draw one) and others of `keras_tuner.Oracle`; `trial_timeout` of
                `models.oracles.leases`, which also tells how to search on many machines.

        Raises:
            ValueError: `cold_every` is below 2, or two past searches have one name.
        """
        if cold_every < 2:
            raise ValueError(f"cold_every takes 2 or more, but got {cold_every}")
        names = [search.name for search in past]
        if len(set(names)) != len(names):
            raise ValueError(f"past searches need names that differ, but got {sorted(names)}")
        super().__init__(objective=objective, max_trials=max_trials, **kwargs)
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
        expected = self._expectation(points, scores)
        features = self._encoder.features(self._encode(completed))
        belief = self._ranking.belief(points, scores, expected)
        return completed[int(belief.predict(features, expected(features))[0].argmax())]

    def contribution(self) -> Contribution:
        """What earlier searches gave to this one, so far."""
        self._prepare()
        points, scores = self._observations()
        proposals = [
            Proposal(
                order=order, origin=self._origins.get(name, "random"), score=self._score(trial)
            )
            for order, (name, trial) in enumerate(zip(self.end_order, self._ended(), strict=True))
        ]
        predictions = self._predictions(points)
        return explain(
            self._model.sources, self._model.left_out, self._priors, predictions, scores, proposals
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
        self._encoder = self._encode_space()
        self._ranking = Ranking(self._encoder, self.seed)
        self._model = PastModel(self._past, self._encoder)
        likely = np.array([each.similarity(self._task) for each in self._model.sources])
        self._priors = (1.0 - COLD_PRIOR) * likely / likely.sum()

    def _encode_space(self) -> SpaceEncoder:
        return SpaceEncoder(self.hyperparameters)

    def _propose(self) -> tuple[Origin, Values | None]:
        if len(self.trials) < len(self._first):
            return "cold", dict(self._first[len(self.trials)])
        points, scores = self._observations()
        expected = self._expectation(points, scores)
        count = len(self.trials) - len(self._first)
        if expected is nothing or count % self._cold_every == 1:
            return "cold", self._cold_proposal()
        best = np.concatenate([each.best_points(_BEST_OF_SOURCE) for each in self._model.sources])
        ranking = self._ranking.warm(points, scores, expected, best)
        return "model" if len(scores) else "portfolio", self._first_new(ranking)

    def _cold_proposal(self) -> Values | None:
        """The next proposal of the cold search, replayed from its start.

        A proposal that was tried already, by whomever, is the cold search's next trial, and the
        search is asked for the one after it.
        """
        known = {_freeze(trial.hyperparameters.values): trial for trial in self.trials.values()}
        stream: list[Trial] = []
        while True:
            ended = [trial for trial in stream if trial.status in ("COMPLETED", "FAILED")]
            ranking = self._ranking.cold(self._encode(ended), self._scores(ended))
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

    def _expectation(self, points: Floats, scores: Floats) -> Expectation:
        """What the past leads to expect; `nothing` where the trials speak against all of it."""
        weights = weigh(self._priors, self._predictions(points), scores)
        if weights.cold > _COLD_LEADS:
            return nothing
        return lambda features: self._model.expect(features, weights.sources)

    def _predictions(self, points: Floats) -> Floats:
        """Of each source for each trial, in normal scores, float64 [s, n]."""
        return self._model.by_source(self._encoder.features(points))

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
