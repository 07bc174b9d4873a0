"""An earlier search, as a new one learns from it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import keras_tuner
import numpy as np
from keras_tuner.engine.trial import Trial, TrialStatus
from numpy.typing import NDArray

from models.history.imports.names import names_in
from models.history.records import TaskDescription
from models.history.search_space import Values
from models.history.tuning_history import TuningHistory


@dataclass(frozen=True)
class PastSearch:
    """The trials of an earlier search that came out.

    Attributes:
        name: for people, unique among the searches that one learns from.
        values: of the hyperparameters, one mapping for each trial.
        scores: float64 [n], finite, higher is better. Only their order within the search counts.
        task: that the search was made on; None where nobody described it.
    """

    name: str
    values: tuple[Values, ...]
    scores: NDArray[np.float64]
    task: TaskDescription | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "values", tuple(self.values))
        object.__setattr__(self, "scores", np.asarray(self.scores, np.float64))
        if self.scores.shape != (len(self.values),) or not np.isfinite(self.scores).all():
            raise ValueError(
                f"{self.name}: expected a finite score for each of {len(self.values)} trials, "
                f"got {self.scores}"
            )

    @classmethod
    def from_history(cls, history: TuningHistory, name: str) -> "PastSearch":
        """Takes the completed trials of a history file."""
        sign = 1.0 if history.header.search.direction == "max" else -1.0
        trials = history.completed
        return cls(
            name,
            tuple(trial.values for trial in trials),
            sign * np.array([trial.score for trial in trials], np.float64),
            history.header.task,
        )

    def called(self, names: Iterable[str]) -> "PastSearch":
        """The same, with `learning_rate` for `lr` and the like where only that is among the names.

        Args:
            names: of the hyperparameters of a new search.
        """
        ours = names_in({name for values in self.values for name in values}, names)
        values = tuple({ours.get(name, name): each[name] for name in each} for each in self.values)
        return replace(self, values=values) if ours else self

    @classmethod
    def from_oracle(cls, oracle: keras_tuner.Oracle, name: str) -> "PastSearch":
        """Takes the trials of a Keras Tuner search that came out, as `tuner.oracle` has them."""
        ended = [oracle.trials[identity] for identity in oracle.end_order]
        scores = [score_of(trial, oracle.objective.direction) for trial in ended]
        came_out = [place for place, score in enumerate(scores) if score is not None]
        return cls(
            name,
            tuple(dict(ended[place].hyperparameters.values) for place in came_out),
            np.array([scores[place] for place in came_out], np.float64),
        )


def check_past(past: object) -> None:
    """Makes sure that what a caller gives is a list of past searches.

    Raises:
        TypeError: it is not; says how one is made.
    """
    rows = past if isinstance(past, Sequence) else (past,)
    wrong = [each for each in rows if not isinstance(each, PastSearch)]
    if wrong or not isinstance(past, Sequence):
        raise TypeError(
            "past takes a list of PastSearch, such as "
            "[PastSearch.from_history(load_history(FILE), NAME)], but got "
            f"{type(wrong[0] if wrong else past).__name__}"
        )


def score_of(trial: Trial, direction: str) -> float | None:
    """The score of a trial, higher is better; None where it failed.

    A score that is infinite or not a number comes of a training that diverged: it says no more
    than a failure does.

    Args:
        trial: of a Keras Tuner search.
        direction: of its objective, "min" or "max".
    """
    if trial.status != TrialStatus.COMPLETED or trial.score is None:
        return None
    score = float(trial.score)
    if not math.isfinite(score):
        return None
    return score if direction == "max" else -score
