"""What FineTuner is told by the configuration."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from models.training.training_settings import TrainingSettings


class Settings(BaseModel):
    """Keys of `tuning` and `training` in the configuration.

    Attributes:
        trials: settings to try, the configured ones among them.
        algorithm: "warm" learns from earlier searches; with others it starts from nothing.
        cold_every: one trial in so many ignores earlier searches.
        training: the configured settings, and `head_epochs`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    trials: Annotated[int, Field(ge=1)]
    algorithm: str
    cold_every: Annotated[int, Field(ge=2)]
    training: dict[str, Any]

    @property
    def configured(self) -> TrainingSettings:
        """The configured settings of the training.

        Raises:
            UsageError: a key is unknown.
        """
        return TrainingSettings.from_values(self.training)
