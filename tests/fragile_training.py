"""Trainers that other processes can import, and that fail there."""

import multiprocessing
import os
import signal
from typing import Any

from models.errors import GraftError
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


class UnreadyTrainer(HeadTrainer):
    """It cannot be made in another process."""

    def __init__(self, *args: Any) -> None:
        if multiprocessing.parent_process() is not None:
            raise GraftError("there is no trainer here")
        super().__init__(*args)
