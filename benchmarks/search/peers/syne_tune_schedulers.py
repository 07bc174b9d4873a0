"""Syne Tune's own schedulers, told of results epoch by epoch; see `buying`.

    python3.11 -m venv VENV && VENV/bin/pip install syne-tune==0.13.0 autograd statsmodels \
        scikit-learn xgboost-cpu 'numpy<2' 'pandas<3'

The last version with all of them: later ones have neither PASHA nor Hyperband, MOBSTER, Hyper-Tune
and DyHPO. There is one worker; a third goes on from each rung, of which the first is one epoch;
what is paused may go on later. Searchers choose among the configurations that there are
(`restrict_configurations`). Of those that cannot, BOHB's is given the nearest that was not begun,
and the ones that learn from the past have these configurations for their candidates.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from functools import partial
from itertools import cycle
from typing import Any

import numpy as np
import pandas as pd
import syne_tune
import xgboost
from syne_tune.backend.trial_status import Trial
from syne_tune.blackbox_repository.blackbox_surrogate import BlackboxSurrogate
from syne_tune.config_space import choice, ordinal, uniform
from syne_tune.optimizer.baselines import ASHA, MOBSTER, PASHA, DyHPO, HyperTune, SyncHyperband
from syne_tune.optimizer.scheduler import SchedulerDecision, TrialScheduler
from syne_tune.optimizer.schedulers import HyperbandScheduler
from syne_tune.optimizer.schedulers.searchers.kde import MultiFidelityKernelDensityEstimator
from syne_tune.optimizer.schedulers.transfer_learning import TransferLearningTaskEvaluations
from syne_tune.optimizer.schedulers.transfer_learning.quantile_based.quantile_based_searcher import (  # noqa: E501
    QuantileBasedSurrogateSearcher,
)
from syne_tune.optimizer.schedulers.transfer_learning.zero_shot import ZeroShotTransfer

from benchmarks.search.peers.buying import SECONDS, Buy, Offer, Search, Space, serve

_COMMON = {"metric": "score", "mode": "max", "resource_attr": "epoch"}
_DRAWS = 1_000
Make = Callable[[Offer, Space], TrialScheduler]


class _Nearest(MultiFidelityKernelDensityEstimator):
    """BOHB's searcher, with the nearest configuration that there is and that was not begun."""

    def __init__(self, space: Space, **options: Any) -> None:
        super().__init__(
            _domains(space),
            "score",
            points_to_evaluate=[],
            mode="max",
            # The fewest that its estimator takes. By default it would want more than there are.
            num_min_data_points=len(_domains(space)) + 1,
            **options,
        )
        self._space, self._left = space, set(range(len(space.points)))

    def _get_config(self, **options: Any) -> dict[str, Any] | None:
        asked = super()._get_config(**options) if self._left else None
        if asked is None:
            return None
        candidate = self._space.nearest(asked, self._left)
        self._left.remove(candidate)
        return dict(self._space.points[candidate])


class _Quantiles(QuantileBasedSurrogateSearcher):
    """The searcher of `ASHACTS`, with the configurations that there are for its candidates."""

    def __init__(self, offer: Offer, space: Space) -> None:
        self._points = cycle(space.points)
        self._left = {_key(point) for point in space.points}
        past = _past(offer, space)
        super().__init__(_domains(space), "score", past, mode="max", random_seed=offer.seed)

    def _sample_random_config(self) -> dict[str, Any]:
        return next(self._points)

    def get_config(self, **options: Any) -> dict[str, Any] | None:
        # One that is far from the best may never be drawn.
        for _ in range(_DRAWS if self._left else 0):
            config = super().get_config(**options)
            if _key(config) in self._left:
                self._left.remove(_key(config))
                return config
        return None


def _restricted(kind: Any, offer: Offer, space: Space, **options: Any) -> TrialScheduler:
    choices = {"restrict_configurations": [dict(point) for point in space.points]}
    return kind(
        _domains(space),
        search_options={**choices, "debug_log": False},
        random_seed=offer.seed,
        **{"points_to_evaluate": [], **_COMMON, **options},
    )


def _promoting(kind: Any, offer: Offer, space: Space, **options: Any) -> TrialScheduler:
    return _restricted(kind, offer, space, max_t=offer.most, type="promotion", **options)


def _asha_cheapest(offer: Offer, space: Space) -> TrialScheduler:
    order = np.argsort(offer.seconds, kind="stable")
    points = [dict(space.points[each]) for each in order]
    return _promoting(ASHA, offer, space, points_to_evaluate=points)


def _pasha(offer: Offer, space: Space) -> TrialScheduler:
    return _restricted(PASHA, offer, space, max_t=offer.most)


def _dyhpo(offer: Offer, space: Space) -> TrialScheduler:
    return _restricted(DyHPO, offer, space, max_t=offer.most)


def _hyperband(offer: Offer, space: Space) -> TrialScheduler:
    return _restricted(SyncHyperband, offer, space, max_resource_level=offer.most)


def _with_searcher(searcher: Any, offer: Offer, space: Space) -> TrialScheduler:
    return HyperbandScheduler(
        _domains(space),
        searcher=searcher,
        max_t=offer.most,
        type="promotion",
        random_seed=offer.seed,
        **_COMMON,
    )


def _bohb(offer: Offer, space: Space) -> TrialScheduler:
    searcher = _Nearest(space, resource_attr="epoch", random_seed=offer.seed, debug_log=False)
    return _with_searcher(searcher, offer, space)


def _zero_shot(offer: Offer, space: Space) -> TrialScheduler:
    domains = _domains(space)
    seen = _past(offer, space)
    foretold = {}
    for name, table in seen.items():
        # As it does itself for configurations that not all data sets have, but for those of now.
        model = BlackboxSurrogate.make_model_pipeline(domains, {}, xgboost.XGBRegressor())
        model.fit(table.hyperparameters, table.objective_values("score")[:, 0])
        foretold[name] = _evaluations(
            domains, space.points, model.predict(pd.DataFrame(space.points)).tolist()
        )
    searcher = ZeroShotTransfer(
        domains,
        "score",
        foretold,
        mode="max",
        sort_transfer_learning_evaluations=False,
        random_seed=offer.seed,
    )
    return _with_searcher(searcher, offer, space)


def _quantiles(offer: Offer, space: Space) -> TrialScheduler:
    return _with_searcher(_Quantiles(offer, space), offer, space)


def _past(offer: Offer, space: Space) -> dict[str, TransferLearningTaskEvaluations]:
    domains = _domains(space)
    return {
        str(number): _evaluations(
            domains,
            [
                space.point(values, seconds[0])
                for values, seconds in zip(table.configurations, table.seconds, strict=True)
            ],
            [scores[-1] for scores in table.scores],
        )
        for number, table in enumerate(offer.past)
    }


def _evaluations(
    domains: dict[str, Any], points: list[dict[str, Any]], ends: list[float]
) -> TransferLearningTaskEvaluations:
    values = np.array(ends)[:, None, None, None]
    return TransferLearningTaskEvaluations(domains, pd.DataFrame(points), ["score"], values)


def _domains(space: Space) -> dict[str, Any]:
    numbers = {name: ordinal(values, kind="equal") for name, values in space.numbers.items()}
    texts = {name: choice(values) for name, values in space.texts.items()}
    return numbers | texts | {SECONDS: uniform(*space.seconds)}


def _key(point: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(sorted(point.items()))


def _suggestion(scheduler: TrialScheduler, number: int, left: Collection[int]) -> Any:
    try:
        return scheduler.suggest(number)
    except ValueError:
        # Its Gaussian processes fail where every configuration is begun.
        if left:
            raise
        return None


def _search(make: Make, offer: Offer, buy: Buy) -> None:
    """As Syne Tune's tuner goes on, with one worker."""
    space = Space(offer)
    scheduler = make(offer, space)
    left = dict(enumerate(space.points))
    trials: list[tuple[Trial, int, Iterator[int]]] = []
    while (suggestion := _suggestion(scheduler, len(trials), left)) is not None:
        if suggestion.spawn_new_trial_id:
            trial = Trial(len(trials), suggestion.config, datetime.now())
            scheduler.on_trial_add(trial)
            candidate = next(
                each
                for each, point in left.items()
                if all(suggestion.config[name] == value for name, value in point.items())
            )
            del left[candidate]
            epochs = iter(range(1, offer.most + 1))
            trials.append((trial, candidate, epochs))
        else:
            trial, candidate, epochs = trials[int(suggestion.checkpoint_trial_id)]
        for epoch in epochs:
            result = {"score": buy(candidate, epoch)[-1], "epoch": epoch}
            if scheduler.on_trial_result(trial, result) != SchedulerDecision.CONTINUE:
                scheduler.on_trial_remove(trial)
                break
        else:
            scheduler.on_trial_complete(trial, result)


_SCHEDULERS: dict[str, Make] = {
    "asha": partial(_promoting, ASHA),
    "asha_cheapest": _asha_cheapest,
    "pasha": _pasha,
    "hyperband": _hyperband,
    "bohb": _bohb,
    "mobster": partial(_promoting, MOBSTER),
    "hyper_tune": partial(_promoting, HyperTune, brackets=4),
    "dyhpo": _dyhpo,
    "zero_shot": _zero_shot,
    "quantiles": _quantiles,
}
_SEARCHES: dict[str, Search] = {name: partial(_search, make) for name, make in _SCHEDULERS.items()}

if __name__ == "__main__":
    serve(_SEARCHES, f"Syne Tune {syne_tune.__version__}")
