"""One search for a head: from embeddings to the history of all trials."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import keras_tuner
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from models.errors import GraftError, UsageError
from models.tuning.head_trainer import HeadTrainer
from models.tuning.history import TuningHistory, new_history
from models.tuning.oracles import build_oracle
from models.tuning.records import SearchDescription, TaskDescription
from models.tuning.score import METRIC
from models.tuning.space import SearchSpace, head_space
from models.tuning.tuner import HeadTuner


class SearchSettings(BaseModel):
    """What a search needs to know beside the data: the configuration's `tuning`, and a little more.

    Attributes:
        trials: in all.
        algorithm: of `models.tuning.oracles`.
        epochs: most epochs of a trial.
        patience: epochs without a better score after which a trial stops.
        class_weights: "none" or "balanced".
        seed: of the search and of the training in it.
        learning_rate: range; see `models.tuning.space.head_space`, as for the rest.
        weight_decay: range.
        dropout: range.
        label_smoothing: range.
        hidden_units: choices.
        batch_size: choices.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: Annotated[int, Field(ge=1)]
    algorithm: str
    epochs: Annotated[int, Field(ge=1)]
    patience: Annotated[int, Field(ge=1)] = 5
    class_weights: Literal["none", "balanced"] = "balanced"
    seed: Annotated[int, Field(ge=0)] = 0
    learning_rate: tuple[float, float]
    weight_decay: tuple[float, float]
    dropout: tuple[float, float]
    label_smoothing: tuple[float, float]
    hidden_units: tuple[int, ...]
    batch_size: tuple[int, ...]

    @classmethod
    def from_json(cls, text: str, seed: int) -> "SearchSettings":
        """Reads all but the seed from JSON.

        Raises:
            UsageError: a key is unknown, missing or of a wrong type.
        """
        try:
            return cls.model_validate({**json.loads(text), "seed": seed})
        except (ValidationError, TypeError, json.JSONDecodeError) as error:
            raise UsageError(f"The settings of the search cannot be read: {error}") from error

    @property
    def space(self) -> SearchSpace:
        """What is searched.

        Raises:
            UsageError: a range or a list makes no sense.
        """
        return head_space(
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            dropout=self.dropout,
            label_smoothing=self.label_smoothing,
            hidden_units=self.hidden_units,
            batch_size=self.batch_size,
        )

    def describe(self) -> SearchDescription:
        """The part that decides what scores mean, for the history."""
        return SearchDescription(
            algorithm=self.algorithm,
            seed=self.seed,
            epochs=self.epochs,
            patience=self.patience,
            class_weights=self.class_weights,
            metric=METRIC,
        )


@dataclass(frozen=True)
class SearchResult:
    """What a search found.

    Attributes:
        history: every trial; at least one completed.
        hyperparameters: of the best trial, as Keras Tuner writes them.
    """

    history: TuningHistory
    hyperparameters: keras_tuner.HyperParameters


def search_heads(
    trainer: HeadTrainer,
    description: TaskDescription,
    settings: SearchSettings,
    scratch: Path,
    *,
    oracle: keras_tuner.Oracle | None = None,
    code: str = "",
) -> SearchResult:
    """Searches for the head with the best validation score.

    Args:
        trainer: of the task.
        description: of the same task.
        settings: of the search.
        scratch: folder that finished trials are kept in, so that a killed search goes on. It may
            be shared by any number of searches.
        oracle: proposes the trials, in place of the one that the settings name; its objective must
            be `models.tuning.oracles.OBJECTIVE`, and its proposals must follow from its seed and
            the scores alone for a killed search to go on.
        code: digest of the training code; trials of other code are not taken over.

    Raises:
        GraftError: not a single trial came out.
        UsageError: the settings make no sense.
    """
    space = settings.space
    if oracle is None:
        oracle = build_oracle(settings.algorithm, space, trials=settings.trials, seed=settings.seed)
    search = settings.describe()
    directory = scratch / _key(description, search, code)
    tuner = HeadTuner(oracle, trainer, search, directory)
    tuner.search()
    history = new_history(space, description, search, tuple(tuner.records))
    best = history.best
    if best is None:
        reason = history.trials[-1].message if history.trials else "no trial was proposed"
        raise GraftError(f"None of {len(history.trials)} trials came out: {reason}")
    hyperparameters = space.to_hyperparameters()
    hyperparameters.values.update(best.values)
    return SearchResult(history, hyperparameters)


def _key(description: TaskDescription, search: SearchDescription, code: str) -> str:
    """Digest of everything that an evaluation depends on, beside the trial's values."""
    training = search.model_dump(exclude={"algorithm"})
    parts = json.dumps([description.model_dump(), training, code], sort_keys=True)
    return hashlib.sha256(parts.encode()).hexdigest()[:32]
