"""Keras Tuner's own oracles, asked for trials and told what came of them.

- Hyperband draws among the configurations by their number; what a later round goes on with is paid
  from where the earlier one stopped, as its tuner does.
- Bayesian optimization trains in full. It is given all hyperparameters and the seconds of the first
  epoch, and the configuration that was not tried and is nearest to what it asks for; the oracle is
  told which one that was. It begins with three random trials, the fewest that it takes by itself:
  its default, three for each hyperparameter, is more than the budgets pay for.
"""

import tempfile
from collections.abc import Iterator
from typing import Any

import keras_tuner
from keras_tuner.engine.trial import Trial, TrialStatus
from keras_tuner.oracles import BayesianOptimizationOracle, HyperbandOracle

from benchmarks.search.peers.buying import SECONDS, Buy, Offer, Space

_RANDOM_TRIALS = 3
_OBJECTIVE = keras_tuner.Objective("score", "max")


def hyperband(offer: Offer, buy: Buy) -> None:
    """With its defaults, one iteration after the other."""
    space = keras_tuner.HyperParameters()
    space.Choice("configuration", list(range(len(offer.configurations))))
    oracle = HyperbandOracle(
        _OBJECTIVE,
        max_epochs=offer.most,
        hyperband_iterations=None,
        hyperparameters=space,
        seed=_seed(offer),
    )
    for trial in _trials(oracle):
        values = trial.hyperparameters.values
        _tell(oracle, trial, buy(values["configuration"], values["tuner/epochs"]))


def bayesian(offer: Offer, buy: Buy) -> None:
    """With its defaults but for the number of random trials."""
    space = Space(offer)
    parameters = keras_tuner.HyperParameters()
    for name, numbers in space.numbers.items():
        parameters.Choice(name, numbers, ordered=True)
    for name, texts in space.texts.items():
        parameters.Choice(name, texts, ordered=False)
    parameters.Float(SECONDS, *space.seconds)
    oracle = BayesianOptimizationOracle(
        _OBJECTIVE,
        max_trials=len(space.points),
        num_initial_points=_RANDOM_TRIALS,
        hyperparameters=parameters,
        seed=_seed(offer),
    )
    left = set(range(len(space.points)))
    for trial in _trials(oracle):
        candidate = space.nearest(trial.hyperparameters.values, left)
        left.remove(candidate)
        trial.hyperparameters.values = dict(space.points[candidate])
        _tell(oracle, trial, buy(candidate, offer.most))


def _seed(offer: Offer) -> int:
    # 0 stands for a random one.
    return offer.seed + 1


def _trials(oracle: keras_tuner.Oracle) -> Iterator[Trial]:
    with tempfile.TemporaryDirectory() as folder:
        oracle.verbose = 0
        oracle._set_project_dir(folder, "peer")
        while (trial := oracle.create_trial("one worker")).status == TrialStatus.RUNNING:
            yield trial


def _tell(oracle: Any, trial: Trial, scores: list[float]) -> None:
    oracle.update_trial(trial.trial_id, {"score": scores[-1]}, step=len(scores))
    trial.status = TrialStatus.COMPLETED
    oracle.end_trial(trial)
