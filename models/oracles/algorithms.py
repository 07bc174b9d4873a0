"""The algorithms that propose trials: Graft's own, with and without a past, and random search.

A search takes any `keras_tuner.Oracle` with `OBJECTIVE`; these are the ones that the configuration
names.
"""

from collections.abc import Sequence
from typing import Any

import keras_tuner

from models.errors import UsageError
from models.history.past_search import PastSearch
from models.history.records import TaskDescription
from models.history.search_space import SearchSpace
from models.oracles.leases import LeasingOracle
from models.oracles.warm.warm_start_oracle import WarmStartOracle

OBJECTIVE = keras_tuner.Objective("score", "max")
"""What oracles maximise; see `models.head.selection_score`."""


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
        algorithm: "warm", "bayesian" (the same without a past) or "random".
        space: to propose from.
        trials: in all.
        seed: of the proposals, from 0.
        past: earlier searches, for "warm"; the others start from nothing.
        task: that is searched on, for "warm".
        cold_every: one trial in so many ignores the past, for "warm".
        trial_timeout: seconds after which a silent worker's trial goes to another one; workers of
            `models.search.workers` give signs of life more often than that.

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
    if algorithm == "bayesian":
        return WarmStartOracle(**common)
    if algorithm == "random":
        return RandomOracle(**common)
    raise UsageError(f"tuning.algorithm takes warm, bayesian or random, but got {algorithm!r}")


class RandomOracle(LeasingOracle, keras_tuner.oracles.RandomSearchOracle):
    """Keras Tuner's random search, with leases for workers on other machines."""
