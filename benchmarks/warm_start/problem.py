"""What every method searches: Graft's own space of heads, as it is configured by default."""

from typing import Final

import numpy as np

from models.history.search_space import Choice, Parameter, SearchSpace, Value, Values, head_space
from models.search.search_settings import SearchSettings
from pipeline.config import TuningConfig

_DEFAULTS: Final = TuningConfig()

SPACE: Final[SearchSpace] = head_space(
    learning_rate=_DEFAULTS.learning_rate,
    weight_decay=_DEFAULTS.weight_decay,
    dropout=_DEFAULTS.dropout,
    label_smoothing=_DEFAULTS.label_smoothing,
    hidden_units=_DEFAULTS.hidden_units,
    batch_size=_DEFAULTS.batch_size,
)
EPOCHS: Final[int] = _DEFAULTS.epochs
PATIENCE: Final[int] = SearchSettings.model_fields["patience"].default
CLASS_WEIGHTS: Final[str] = SearchSettings.model_fields["class_weights"].default


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
