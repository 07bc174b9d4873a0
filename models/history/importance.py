"""Which hyperparameters mattered in a search."""

import numpy as np
from keras_tuner import HyperParameters
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn.ensemble import RandomForestRegressor

from models.history.tuning_history import TuningHistory

_FEWEST_TRIALS = 5
_SAMPLES = 256
_GRID = 16
_TREES = 64


def importance(history: TuningHistory) -> dict[str, float]:
    """Gives each hyperparameter's share of what the hyperparameters explain one by one.

    A random forest learns the rank of a trial's score from its values (ranks, so that one diverged
    trial does not outweigh the rest). A parameter's effect is the variance of the forest's
    prediction over its range, averaged over all other parameters: the main effects of functional
    ANOVA (Hutter, Hoos and Leyton-Brown, An Efficient Approach for Assessing Hyperparameter
    Importance, 2014), estimated by sampling. With a few dozen trials the figures are rough.

    Args:
        history: of the search.

    Returns:
        Name to share, the greatest first; they sum to 1, or are all 0 when no value made a
        difference. Empty when fewer than five trials completed.
    """
    trials = history.completed
    if len(trials) < _FEWEST_TRIALS:
        return {}
    space = history.header.space.to_hyperparameters()
    points = np.array([_to_unit_cube(space, dict(trial.values)) for trial in trials])
    ranks = rankdata([trial.score for trial in trials])
    forest = RandomForestRegressor(_TREES, min_samples_leaf=2, random_state=0).fit(points, ranks)
    effects = _main_effects(forest, points.shape[1])
    total = effects.sum()
    shares = effects / total if total > 0 else effects
    named = {
        parameter.name: float(share) for parameter, share in zip(space.space, shares, strict=True)
    }
    return dict(sorted(named.items(), key=lambda item: -item[1]))


def _to_unit_cube(space: HyperParameters, values: dict[str, float | int | str]) -> list[float]:
    """Places a trial by the cumulative probability of each value; 0.5 for a fixed one."""
    return [
        parameter.value_to_prob(values[parameter.name])
        if hasattr(parameter, "value_to_prob") and parameter.name in values
        else 0.5
        for parameter in space.space
    ]


def _main_effects(forest: RandomForestRegressor, dimensions: int) -> NDArray[np.float64]:
    """Variance of the prediction along each dimension, averaged over the others, [dimensions]."""
    base = np.random.default_rng(0).random((_SAMPLES, dimensions))
    grid = (np.arange(_GRID) + 0.5) / _GRID
    effects = np.zeros(dimensions)
    for dimension in range(dimensions):
        points = np.repeat(base[None], _GRID, axis=0)
        points[:, :, dimension] = grid[:, None]
        predictions = forest.predict(points.reshape(-1, dimensions)).reshape(_GRID, _SAMPLES)
        effects[dimension] = predictions.mean(axis=1).var()
    return effects
