"""Syne Tune's transfer schedulers.

The bounding box (Perrone et al., 2019) and the quantile-based surrogate (Salinas et al., 2020).
Without sources both are its random search.
"""

import datetime

import numpy as np
import pandas
from syne_tune import config_space
from syne_tune.backend.trial_status import Trial
from syne_tune.optimizer.baselines import RandomSearch
from syne_tune.optimizer.schedulers.single_objective_scheduler import SingleObjectiveScheduler
from syne_tune.optimizer.schedulers.transfer_learning.bounding_box import BoundingBox
from syne_tune.optimizer.schedulers.transfer_learning.quantile_based import (
    quantile_based_searcher as quantile,
)
from syne_tune.optimizer.schedulers.transfer_learning.transfer_learning_task_evaluation import (
    TransferLearningTaskEvaluations,
)
from wire import serve

_METRIC = "loss"


class Search:
    """A scheduler. It minimises, so scores change their sign."""

    def __init__(self, problem):
        self._space = {each["name"]: _domain(each) for each in problem["space"]}
        sources = {each["name"]: self._evaluations(each) for each in problem["sources"]}
        self._scheduler = self._build(problem["method"], sources, problem["seed"])
        self._suggested = None
        self._count = 0

    def ask(self):
        """Proposes values."""
        self._suggested = self._scheduler.suggest()
        if self._suggested is None:
            return None
        config = self._suggested.config
        return {name: _plain(config[name]) for name in self._space}

    def tell(self, score):
        """Takes the score of the last proposal."""
        trial = Trial(self._count, self._suggested.config, datetime.datetime.now())
        self._count += 1
        self._scheduler.on_trial_add(trial)
        if score is None:
            self._scheduler.on_trial_error(trial)
        else:
            self._scheduler.on_trial_complete(trial, {_METRIC: -score})

    def _build(self, method, sources, seed):
        if not sources:
            return RandomSearch(self._space, [_METRIC], random_seed=seed)
        if method == "bounding_box":
            return BoundingBox(
                lambda space, metric, _, seed: RandomSearch(space, [metric], random_seed=seed),
                self._space,
                metric=_METRIC,
                transfer_learning_evaluations=sources,
                random_seed=seed,
            )
        searcher = quantile.QuantileBasedSurrogateSearcher(self._space, sources, random_seed=seed)
        return SingleObjectiveScheduler(
            self._space, metric=_METRIC, searcher=searcher, random_seed=seed
        )

    def _evaluations(self, source):
        return TransferLearningTaskEvaluations(
            configuration_space=self._space,
            hyperparameters=pandas.DataFrame(source["values"]),
            objectives_names=[_METRIC],
            objectives_evaluations=-np.array(source["scores"])[:, None, None, None],
        )


def _domain(parameter):
    if parameter["kind"] == "choice":
        return config_space.choice(parameter["values"])
    kind = config_space.loguniform if parameter["scale"] == "log" else config_space.uniform
    return kind(parameter["low"], parameter["high"])


def _plain(value):
    return value.item() if isinstance(value, np.generic) else value


if __name__ == "__main__":
    serve(Search)
