"""The settings of fine-tuning that a search may choose, as values of hyperparameters.

A hyperparameter has the name of the setting's key in the configuration, so that it cannot be taken
for one of the head's.
"""

from collections.abc import Mapping
from typing import Any, Final

from models.training.training_settings import TrainingSettings

_SECTION: Final = "training."
LEARNING_RATE: Final = f"{_SECTION}learning_rate"
UNFREEZE: Final = f"{_SECTION}unfreeze"
AUGMENT: Final = f"{_SECTION}augment"
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
        name.removeprefix(_SECTION): value
        for name, value in values.items()
        if name.startswith(_SECTION)
    }
    # Pydantic reads "on" and "off" as what is true and false.
    return TrainingSettings.model_validate(settings.model_dump() | chosen)
