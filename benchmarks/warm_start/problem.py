"""What every method searches: Graft's own space of heads, as it is configured by default."""

from typing import Final

import numpy as np

from models.history.records import ClassWeights
from models.history.search_space import Choice, Parameter, SearchSpace, Value, Values
from models.search.search_settings import SearchSettings
from models.training.training_settings import TrainingSettings

SPACE: Final[SearchSpace] = SearchSettings().space
EPOCHS: Final[int] = SearchSettings().epochs
CLASS_WEIGHTS: Final[ClassWeights] = TrainingSettings().class_weights


def sample(space: SearchSpace, generator: np.random.Generator) -> Values:
    """Draws a configuration uniformly, logarithmic ranges in the logarithm."""
    return {parameter.name: _draw(parameter, generator) for parameter in space.parameters}


def _draw(parameter: Parameter, generator: np.random.Generator) -> Value:
    if isinstance(parameter, Choice):
        return parameter.values[generator.integers(len(parameter.values))]
    if parameter.scale == "log":
        low, high = np.log(parameter.low), np.log(parameter.high)
        return float(np.clip(np.exp(generator.uniform(low, high)), parameter.low, parameter.high))
    return float(generator.uniform(parameter.low, parameter.high))
