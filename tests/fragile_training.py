"""A trainer that other processes can import, and that ends its process on wide heads."""

import os
import signal
from typing import Any

from models.head.head_trainer import HeadTrainer, TrainedHead
from models.head.hyperparameters import HeadParameters

DEADLY_UNITS = 13
HOPELESS_UNITS = 17


class FragileTrainer(HeadTrainer):
    """Its process is killed as by a machine without memory, or it fails by itself."""

    def train(self, parameters: HeadParameters, **kwargs: Any) -> TrainedHead:
        if parameters.hidden_units == DEADLY_UNITS:
            os.kill(os.getpid(), signal.SIGKILL)
        if parameters.hidden_units == HOPELESS_UNITS:
            raise MemoryError(f"no room for {HOPELESS_UNITS} units")
        return super().train(parameters, **kwargs)
