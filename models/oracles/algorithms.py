"""The algorithms that propose trials: Graft's own, and Keras Tuner's with what they lack mended.

A search takes any `keras_tuner.Oracle` with `OBJECTIVE`; these are the ones that the configuration
names.
"""

import warnings
from collections.abc import Sequence
from typing import Any

import keras_tuner
import numpy as np
from keras_tuner.engine.hyperparameters import Choice
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from models.errors import UsageError
from models.history.past_search import PastSearch
from models.history.records import TaskDescription
from models.history.search_space import SearchSpace, Values
from models.oracles.leases import LeasingOracle
from models.oracles.warm.warm_start_oracle import WarmStartOracle

OBJECTIVE = keras_tuner.Objective("score", "max")
"""What oracles maximise; see `models.head.selection_score`."""

_NOISE = 1e-2
"""Variance of a score's noise, as a share of the variance among the scores. Keras Tuner's 1e-4
has the Gaussian process chase the noise of the validation split."""

_CANDIDATES = 1000
"""Points in each half of the candidates for the next trial."""

_ELITE = 5
"""Best trials that candidates are placed around."""


def build_oracle(
    algorithm: str,
    space: SearchSpace,
    *,
    trials: int,
    seed: int,
    past: Sequence[PastSearch] = (),
    task: TaskDescription | None = None,
    cold_every: int = 4,
    trial_timeout: float = 60.0,
) -> LeasingOracle:
    """Makes a fresh oracle.

    Args:
        algorithm: "warm", "bayesian" or "random".
        space: to propose from.
        trials: in all.
        seed: of the proposals, from 0.
        past: earlier searches, for "warm"; the others start from nothing.
        task: that is searched on, for "warm".
        cold_every: one trial in so many ignores the past, for "warm".
        trial_timeout: seconds after which a silent worker's trial goes to another one; workers of
            `models.search.hosts` give signs of life more often than that.

    Raises:
        UsageError: an unknown algorithm.
    """
    common: dict[str, Any] = {
        "objective": OBJECTIVE,
        "max_trials": trials,
        "hyperparameters": space.to_hyperparameters(),
        # Keras Tuner takes 0 for "choose one at random".
        "seed": seed + 1,
        # By default three failures in a row end the search without a word; a corner of the space
        # in which trainings diverge is a finding.
        "max_consecutive_failed_trials": trials + 1,
        "trial_timeout": trial_timeout,
    }
    if algorithm == "warm":
        return WarmStartOracle(past=past, task=task, cold_every=cold_every, **common)
    if algorithm == "random":
        return RandomOracle(**common)
    if algorithm == "bayesian":
        initial = len(space.parameters) + 1
        return BayesianOracle(num_initial_points=initial, alpha=_NOISE, **common)
    raise UsageError(f"tuning.algorithm takes warm, bayesian or random, but got {algorithm!r}")


class RandomOracle(LeasingOracle, keras_tuner.oracles.RandomSearchOracle):
    """Keras Tuner's random search, with leases for workers on other machines."""


class BayesianOracle(LeasingOracle, keras_tuner.oracles.BayesianOptimizationOracle):
    """Keras Tuner's Bayesian optimisation with a fast and distinct choice of the next trial.

    Keras Tuner maximises its upper confidence bound by 50 numerical climbs that ask the Gaussian
    process for one point at a time, which takes seconds a trial: several times the trial itself.
    It also proposes its optimum again and again in a small or discrete space (keras-tuner issues
    227 and 608). Here the same bound is computed for a few thousand candidates at once, half of
    them spread over the space and half around the best trials, all distinct from earlier trials.
    """

    def _make_gpr(self) -> GaussianProcessRegressor:
        return GaussianProcessRegressor(
            kernel=Matern(length_scale=0.5, length_scale_bounds=(0.1, 10.0), nu=2.5),
            normalize_y=True,
            alpha=self.alpha,
            random_state=self.seed,
        )

    def populate_space(self, trial_id: str) -> dict[str, Any]:
        """Proposes values: random ones first, then those of the highest confidence bound."""
        completed = sum(trial.status == "COMPLETED" for trial in self.trials.values())
        if completed < self.num_initial_points:
            return super().populate_space(trial_id)
        with warnings.catch_warnings():
            # A length scale at its bound says that a few trials show no trend yet.
            warnings.simplefilter("ignore", ConvergenceWarning)
            values = self._most_promising()
        if values is None:
            return self._random_populate_space()
        return {"status": "RUNNING", "values": values}

    def _most_promising(self) -> Values | None:
        """The best candidate that was not tried yet; None when all were."""
        points, losses = self._vectorize_trials()
        self.gpr.fit(points, losses)
        candidates = self._candidates(points[losses.argsort()[:_ELITE]])
        mean, deviation = self.gpr.predict(candidates, return_std=True)
        tried = [trial.hyperparameters.values for trial in self.trials.values()]
        for index in np.argsort(mean - self.beta * deviation):
            values: Values = self._vector_to_values(candidates[index])
            if values not in tried:
                return values
        return None

    def _candidates(self, best: NDArray[np.float64]) -> NDArray[np.float64]:
        """Points of the unit cube, float [c, dimensions], moved onto values that exist."""
        generator = np.random.default_rng([self.seed, len(self.trials)])
        spread = generator.random((_CANDIDATES, best.shape[1]))
        centres = best[generator.integers(len(best), size=_CANDIDATES)]
        near = centres + generator.normal(0.0, 0.1, centres.shape)
        points = np.clip(np.concatenate([spread, near]), 0.0, 1.0)
        for column, parameter in enumerate(self._nonfixed_space()):
            if isinstance(parameter, Choice):
                count = len(parameter.values)
                # Keras Tuner places the i-th of n choices at (i + 1/2) / n.
                cell = np.minimum((points[:, column] * count).astype(int), count - 1)
                points[:, column] = (cell + 0.5) / count
        return points
