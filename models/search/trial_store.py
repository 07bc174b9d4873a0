"""Finished trials on disk, so that a search that was killed goes on where it was.

Keras Tuner's own reload reads files that it does not write in one step, loses trials that were
running, and forgets the state of the Bayesian oracle. Here a search is simply run again from the
start: its oracle, with the same seed and the same scores, proposes the same trials, and those that
were finished are looked up by their values in no time. The outcome is the one of a search that was
never killed, and a search with more trials than the last one pays only for the new ones.
"""

from pathlib import Path

from pydantic import ValidationError

from models.history.records import Evaluation
from models.history.search_space import Values
from models.json_digest import json_digest
from models.storage.seals import read_sealed, write_sealed


class TrialStore:
    """Evaluations by the values of their trial and the seed.

    The directory belongs to one task and one way of training; its name must change with the data,
    the seed, the epochs and the code.
    """

    def __init__(self, directory: Path) -> None:
        """Takes a directory that need not exist yet."""
        self._directory = directory

    def get(self, values: Values, seed: int) -> Evaluation | None:
        """The evaluation of a configuration; None when there is none that can be read.

        Args:
            values: of the configuration.
            seed: of the training.
        """
        try:
            content = read_sealed(self._path(values, seed))
            return None if content is None else Evaluation.model_validate_json(content, strict=True)
        except ValidationError:
            return None

    def put(self, values: Values, evaluation: Evaluation) -> None:
        """Keeps an evaluation under its seed, in one step.

        Raises:
            OSError: the disk is full or the folder cannot be written.
        """
        path = self._path(values, evaluation.seed)
        write_sealed(path, evaluation.model_dump_json().encode())

    def _path(self, values: Values, seed: int) -> Path:
        return self._directory / f"{json_digest([values, seed])}.json"
