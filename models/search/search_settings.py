"""What a search is told by the configuration."""

import json
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from models.errors import UsageError
from models.head.selection_score import METRIC
from models.history.records import SearchDescription
from models.history.search_space import SearchSpace, head_space
from models.search.hosts.address import check_address


class SearchSettings(BaseModel):
    """What a search needs to know beside the data: the configuration's `tuning`, and a little more.

    Attributes:
        trials: in all.
        algorithm: of `models.oracles.algorithms`.
        cold_every: one trial in so many ignores all earlier searches; see
            `models.oracles.warm.warm_start_oracle`.
        parallel: trials at a time, each in a process of its own; see
            `models.search.parallel_tuner`.
        serve: `HOST:PORT` at which workers on other machines join the search; empty for none. See
            `models.search.hosts.serving_tuner`.
        epochs: most epochs of a trial.
        patience: epochs without a better score after which a trial stops.
        stop_trials: whether trials that fell behind are stopped.
        stop_search: expected gain of the score below which the search ends; 0 for never. See
            `models.head.stopping`, as for `stop_trials`. Only "warm" expects anything.
        finalists: best trials that are evaluated again before one is chosen; see
            `models.search.finalists`.
        repeats: folds that they are evaluated again on, at most.
        class_weights: "none" or "balanced".
        seed: of the search and of the training in it.
        learning_rate: range; see `models.history.search_space.head_space`, as for the rest.
        weight_decay: range.
        dropout: range.
        label_smoothing: range.
        hidden_units: choices.
        batch_size: choices.
        fine_tune_trials: of the search after this one, `models.search.fine_tuning`; not of this.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: Annotated[int, Field(ge=1)]
    algorithm: str
    cold_every: Annotated[int, Field(ge=2)] = 4
    parallel: Annotated[int, Field(ge=1, le=64)] = 1
    serve: Annotated[str, AfterValidator(check_address)] = ""
    epochs: Annotated[int, Field(ge=1)]
    patience: Annotated[int, Field(ge=1)] = 5
    stop_trials: bool = True
    stop_search: Annotated[float, Field(ge=0.0)] = 0.0
    finalists: Annotated[int, Field(ge=1, le=50)] = 6
    repeats: Annotated[int, Field(ge=0, le=9)] = 3
    class_weights: Literal["none", "balanced"] = "balanced"
    seed: Annotated[int, Field(ge=0)] = 0
    learning_rate: tuple[float, float]
    weight_decay: tuple[float, float]
    dropout: tuple[float, float]
    label_smoothing: tuple[float, float]
    hidden_units: tuple[int, ...]
    batch_size: tuple[int, ...]
    fine_tune_trials: int = 0

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
            stop_trials=self.stop_trials,
        )
