"""What a search over heads chooses."""

from dataclasses import asdict, dataclass
from typing import Any

from models.errors import UsageError


@dataclass(frozen=True, slots=True)
class HeadParameters:
    """What a search over heads chooses.

    Attributes:
        learning_rate: of AdamW.
        weight_decay: decoupled, of AdamW.
        dropout: share of the features (and of the hidden units) dropped in training.
        label_smoothing: share of the target spread evenly over the classes.
        hidden_units: width of the hidden layer; 0 for a linear head.
        batch_size: images a step.
    """

    learning_rate: float = 1e-3
    weight_decay: float = 1e-4
    dropout: float = 0.2
    label_smoothing: float = 0.0
    hidden_units: int = 0
    batch_size: int = 32

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> "HeadParameters":
        """Takes the parameters from a mapping that may hold others besides.

        Args:
            values: as of `keras_tuner.HyperParameters.values`.

        Raises:
            UsageError: one is missing.
        """
        try:
            return cls(
                learning_rate=float(values["learning_rate"]),
                weight_decay=float(values["weight_decay"]),
                dropout=float(values["dropout"]),
                label_smoothing=float(values["label_smoothing"]),
                hidden_units=int(values["hidden_units"]),
                batch_size=int(values["batch_size"]),
            )
        except KeyError as missing:
            raise UsageError(f"the head's hyperparameters lack {missing}") from missing

    def to_values(self) -> dict[str, Any]:
        """The parameters as a mapping, the inverse of `from_values`."""
        return asdict(self)
