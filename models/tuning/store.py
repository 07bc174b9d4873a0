"""Finished trials on disk, so that a search that was killed goes on where it was.

Keras Tuner's own reload reads files that it does not write in one step, loses trials that were
running, and forgets the state of the Bayesian oracle. Here a search is simply run again from the
start: its oracle, with the same seed and the same scores, proposes the same trials, and those that
were finished are looked up by their values in no time. The outcome is the one of a search that was
never killed, and a search with more trials than the last one pays only for the new ones.
"""

import hashlib
import json
from pathlib import Path

from pydantic import ValidationError

from models.files import write_atomically
from models.tuning.records import Evaluation
from models.tuning.space import Values


class TrialStore:
    """Evaluations by the values of their trial.

    The directory belongs to one task and one way of training; its name must change with the data,
    the seed, the epochs and the code.
    """

    def __init__(self, directory: Path) -> None:
        """Takes a directory that need not exist yet."""
        self._directory = directory

    def get(self, values: Values) -> Evaluation | None:
        """The evaluation of a finished trial; None when there is none that can be read."""
        try:
            return Evaluation.model_validate_json(self._path(values).read_bytes(), strict=True)
        except (OSError, ValidationError):
            return None

    def put(self, values: Values, evaluation: Evaluation) -> None:
        """Keeps an evaluation, in one step.

        Raises:
            OSError: the disk is full or the folder cannot be written.
        """
        write_atomically(self._path(values), evaluation.model_dump_json().encode())

    def _path(self, values: Values) -> Path:
        key = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()
        return self._directory / f"{key[:32]}.json"
