"""The settings of fine-tuning that a search may choose, as values of hyperparameters.

A hyperparameter has the name of the setting's key in the configuration, so that it cannot be taken
for one of the head's.
"""

from collections.abc import Mapping
from typing import Any, Final

from models.training.training_settings import TrainingSettings

LEARNING_RATE: Final = "training.learning_rate"
UNFREEZE: Final = "training.unfreeze"
AUGMENT: Final = "training.augment"
ON, OFF = "on", "off"
"""Values of `AUGMENT`."""


def chosen_values(settings: TrainingSettings) -> dict[str, float | str]:
    """The settings as values of hyperparameters, by name."""
    return {
        LEARNING_RATE: settings.learning_rate,
        UNFREEZE: settings.unfreeze,
        AUGMENT: ON if settings.augment else OFF,
    }


def with_choice(settings: TrainingSettings, values: Mapping[str, Any]) -> TrainingSettings:
    """The settings with what a search chose in their place.

    Args:
        settings: of the configuration; they stay where the search chose nothing.
        values: of hyperparameters, by name; may hold those of the head besides.
    """
    chosen = {
        "learning_rate": float(values.get(LEARNING_RATE, settings.learning_rate)),
        "unfreeze": float(values.get(UNFREEZE, settings.unfreeze)),
        "augment": values[AUGMENT] == ON if AUGMENT in values else settings.augment,
    }
    return settings.model_copy(update=chosen)
