"""How hyperparameters are searched: the section `tuning`."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from models.head.hyperparameters import head_space, with_hyperparameters
from models.head.selection_score import METRIC
from models.history.records import ClassWeights, SearchDescription
from models.history.search_space import SearchSpace
from models.search.workers.address import check_address
from models.settings import Section


@with_hyperparameters
class SearchSettings(Section):
    """The search for the head's hyperparameters, on the frozen backbone's embeddings."""

    trials: Annotated[int, Field(ge=1, le=1000)] = 20
    """Trials in all."""
    algorithm: Literal["warm", "bayesian", "random"] = "warm"
    """warm starts from what earlier searches learned; bayesian and random start from nothing."""
    cold_every: Annotated[int, Field(ge=2)] = 4
    """One trial in so many ignores all earlier searches: the guard against misleading ones."""
    parallel: Annotated[int, Field(ge=1, le=64)] = 1
    """Trials at a time, each in a process of its own with a copy of the embeddings, all on the
    machine of the run. A single trial uses two cores already and a process takes seconds to start,
    so that more gain nothing on two cores. With more, the order in which they end has a say in what
    is tried next."""
    serve: str = ""
    """HOST:PORT of this machine at which workers on others join the search for the head, one trial
    at a time each; `graft worker FOLDER` starts one, and the run names the folder, which both must
    see. The port is neither encrypted nor authenticated: open it in a trusted network alone. The
    run makes trials too, parallel at a time. Empty: no other machines."""
    epochs: Annotated[int, Field(ge=1)] = 30
    """Most epochs in one trial; it stops earlier when validation no longer improves."""
    stop_trials: bool = True
    """Stop trials that fall behind the others and are too slow to catch up."""
    stop_search: Annotated[float, Field(ge=0.0)] = 0.0
    """Expected gain of the score below which the search ends before its last trial (after half of
    the trials at the earliest; only with algorithm warm): 0.001 is a tenth of a point. 0: never."""
    finalists: Annotated[int, Field(ge=1, le=50)] = 6
    """Best trials that are trained again on other folds before one is chosen: the highest of many
    noisy scores is a lucky one. 1 takes the best score as it came."""
    repeats: Annotated[int, Field(ge=0, le=9)] = 3
    """Folds that finalists are trained again on, at most; half of them fall out after each."""
    fine_tune_trials: Annotated[int, Field(ge=0, le=1000)] = 0
    """Then as many trials of fine-tuning itself, where the strategy fine-tunes: its learning rate
    around training.learning_rate, how much it unfreezes, and whether it augments. Each is a real
    fine-tuning for a third of training.epochs, a minute of two cores for 1,400 images of 96 px;
    the best third go on to the end. training's own settings are the first trial, and stay unless
    others are better beyond noise. 0: none."""

    @field_validator("stop_search")
    @classmethod
    def _stoppable(cls, value: float, info: ValidationInfo) -> float:
        if value and info.data.get("algorithm") != "warm":
            raise ValueError("0 with any tuning.algorithm but warm, which alone can tell the gain")
        return value

    @field_validator("serve")
    @classmethod
    def _servable(cls, value: str) -> str:
        return check_address(value)

    @property
    def space(self) -> SearchSpace:
        """What is searched."""
        return head_space(self.model_dump())

    def describe(
        self, *, seed: int, patience: int, class_weights: ClassWeights
    ) -> SearchDescription:
        """What decides the meaning of scores, for the history; the arguments beside the section."""
        return SearchDescription(
            algorithm=self.algorithm,
            seed=seed,
            epochs=self.epochs,
            patience=patience,
            class_weights=class_weights,
            metric=METRIC,
            stop_trials=self.stop_trials,
        )
