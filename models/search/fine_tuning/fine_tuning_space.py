"""What a search for the settings of fine-tuning may choose from."""

from typing import Final

import keras
import numpy as np

from models.backbones.cuts import choose_cut
from models.history.search_space import Choice, FloatRange, SearchSpace, Values
from models.oracles.warm.encoding import SpaceEncoder
from models.training.searched_settings import (
    AUGMENT,
    LEARNING_RATE,
    OFF,
    ON,
    UNFREEZE,
    chosen_values,
)
from models.training.training_settings import TrainingSettings

_UNFREEZE: Final = (0.25, 0.5, 0.75)
"""Shares of the backbone to train, beside the configured one."""
_RATES: Final = 10.0
"""Factor to both sides of the configured learning rate."""


def fine_tuning_space(settings: TrainingSettings, backbone: keras.Model) -> SearchSpace:
    """The learning rate around the configured one, how much is trained, and whether views change.

    Args:
        settings: of the configuration.
        backbone: flat functional model; shares that cut it at the same place stand in once.
    """
    rate = settings.learning_rate
    others = OFF if settings.augment else ON
    return SearchSpace(
        parameters=(
            FloatRange(name=LEARNING_RATE, low=rate / _RATES, high=rate * _RATES, scale="log"),
            Choice(name=UNFREEZE, values=_shares(settings.unfreeze, backbone)),
            # A search without a past begins with the latter of two.
            Choice(name=AUGMENT, values=(others, ON if settings.augment else OFF)),
        )
    )


def configured(settings: TrainingSettings, space: SearchSpace) -> Values:
    """The configured settings as a trial of the space.

    Where they are in the middle, the first trial of a search without a past is this very one.
    """
    encoder = SpaceEncoder(space.to_hyperparameters())
    # The middle of a logarithmic range is the configured rate but for rounding.
    return encoder.decode(np.round(encoder.encode(chosen_values(settings)), 9))


def _shares(configured: float, backbone: keras.Model) -> tuple[float, ...]:
    by_layer = {choose_cut(backbone, share).layer: share for share in (*_UNFREEZE, configured)}
    return tuple(sorted(by_layer.values()))
