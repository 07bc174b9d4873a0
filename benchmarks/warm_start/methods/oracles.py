"""Oracles of Keras Tuner, its own and Graft's, as methods."""

from typing import Any

import keras_tuner
from keras_tuner.engine.trial import TrialStatus

from benchmarks.warm_start.methods.interface import Problem, Proposal, best_so_far
from models.oracles.algorithms import OBJECTIVE
from models.oracles.warm.warm_start_oracle import WarmStartOracle

_TUNER = "benchmark"
_EPOCHS, _PAID_EPOCHS = "tuner/epochs", "tuner/initial_epoch"
"""Hyperband's own entries among a trial's values."""


class OracleMethod:
    """An oracle, asked and told as Keras Tuner's search loop does."""

    def __init__(self, oracle: keras_tuner.Oracle, problem: Problem) -> None:
        """Takes a fresh oracle for the problem's space."""
        oracle.verbose = 0
        # BaseTuner does this; the oracle writes its state there after every trial.
        oracle._set_project_dir(str(problem.scratch), "oracle")
        self._oracle = oracle
        self._problem = problem
        self._scores: list[float | None] = []
        self._trials: list[Any] = []

    def ask(self) -> Proposal | None:
        """Has the oracle make a trial."""
        trial = self._oracle.create_trial(_TUNER)
        if trial.status != TrialStatus.RUNNING:
            return None
        self._trials.append(trial)
        values = trial.hyperparameters.values
        return Proposal(
            {
                parameter.name: values[parameter.name]
                for parameter in self._problem.space.parameters
            },
            epochs=values.get(_EPOCHS, self._problem.epochs),
            paid_epochs=values.get(_PAID_EPOCHS, 0),
        )

    def tell(self, score: float | None) -> None:
        """Ends the trial."""
        trial = self._trials[-1]
        if score is None:
            trial.status, trial.message = TrialStatus.FAILED, "diverged"
        else:
            self._oracle.update_trial(trial.trial_id, {OBJECTIVE.name: score})
            trial.status = TrialStatus.COMPLETED
        self._scores.append(score)
        self._oracle.end_trial(trial)

    def choose(self) -> int:
        """The trial with the best score."""
        return best_so_far(self._scores)

    def close(self) -> None:
        """Nothing is held."""


class WarmStartMethod(OracleMethod):
    """WarmStartOracle, which chooses by its model of the scores, not by the scores alone."""

    def choose(self) -> int:
        """The trial that the oracle recommends."""
        if all(score is None for score in self._scores):
            return 0
        recommended = self._oracle.recommend().trial_id
        return next(
            index for index, trial in enumerate(self._trials) if trial.trial_id == recommended
        )


def random_search(problem: Problem) -> OracleMethod:
    """Keras Tuner's random search."""
    return OracleMethod(keras_tuner.oracles.RandomSearchOracle(**_common(problem)), problem)


def bayesian(problem: Problem) -> OracleMethod:
    """Keras Tuner's Bayesian optimisation with its defaults."""
    oracle = keras_tuner.oracles.BayesianOptimizationOracle(**_common(problem))
    return OracleMethod(oracle, problem)


def hyperband(problem: Problem) -> OracleMethod:
    """Keras Tuner's Hyperband with its defaults, as many rounds of it as there is room for."""
    common = _common(problem)
    del common["max_trials"]
    oracle = keras_tuner.oracles.HyperbandOracle(
        max_epochs=problem.epochs, hyperband_iterations=problem.trials, **common
    )
    return OracleMethod(oracle, problem)


def cold(problem: Problem) -> OracleMethod:
    """WarmStartOracle that is told of no past."""
    return WarmStartMethod(WarmStartOracle(task=problem.task, **_common(problem)), problem)


def warm(problem: Problem) -> OracleMethod:
    """WarmStartOracle."""
    oracle = WarmStartOracle(past=problem.sources, task=problem.task, **_common(problem))
    return WarmStartMethod(oracle, problem)


def _common(problem: Problem) -> dict[str, Any]:
    return {
        "objective": OBJECTIVE,
        "max_trials": problem.trials,
        "hyperparameters": problem.space.to_hyperparameters(),
        # Keras Tuner takes 0 for "choose one at random".
        "seed": problem.seed + 1,
        # By default, three failures in a row end the search.
        "max_consecutive_failed_trials": 1_000_000,
    }
