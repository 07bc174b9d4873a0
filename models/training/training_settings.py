"""What the user may say about training."""

from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from typing_extensions import Self

from models.errors import UsageError


@dataclass(frozen=True, slots=True)
class TrainingSettings:
    """How the final model is trained; the defaults are those of the configuration.

    Attributes:
        strategy: "feature_extraction", "fine_tune", or "auto".
        auto_fine_tune_images: "auto" fine-tunes from this many training images on.
        head_epochs: most epochs of the head on the frozen features.
        epochs: most fine-tuning epochs.
        patience: epochs without a better validation score before training stops.
        unfreeze: share of the backbone's weighted layers, from the top, that is fine-tuned.
        learning_rate: highest rate while fine-tuning.
        batch_size: images a step while fine-tuning.
        augment: whether fine-tuning also sees changed views of the images.
        class_weights: "none" or "balanced".
        mixed_precision: "on", "off", or "auto", which is on where there is a GPU.
        cache_gigabytes: most disk that activations of the frozen layers may take; what would need
            more is computed anew in every epoch.
    """

    strategy: Literal["auto", "feature_extraction", "fine_tune"] = "auto"
    auto_fine_tune_images: int = 500
    head_epochs: int = 30
    epochs: int = 6
    patience: int = 3
    unfreeze: float = 0.5
    learning_rate: float = 3e-4
    batch_size: int = 32
    augment: bool = True
    class_weights: Literal["none", "balanced"] = "balanced"
    mixed_precision: Literal["auto", "on", "off"] = "auto"
    cache_gigabytes: float = 4.0

    @classmethod
    def from_values(cls, values: dict[str, Any]) -> Self:
        """Takes the settings from a mapping; what is absent keeps its default.

        Raises:
            UsageError: a key is unknown.
        """
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise UsageError(f"unknown training settings {unknown}; known are {sorted(known)}")
        return cls(**values)

    def to_values(self) -> dict[str, Any]:
        """The settings as a mapping, the inverse of `from_values`."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Strategy:
    """A strategy, and why it was taken.

    Attributes:
        name: of the two.
        reason: in words.
    """

    name: Literal["feature_extraction", "fine_tune"]
    reason: str


def choose_strategy(settings: TrainingSettings, images: int) -> Strategy:
    """Resolves "auto" by the number of training images."""
    if settings.strategy != "auto":
        return Strategy(settings.strategy, "asked for in the configuration")
    least = settings.auto_fine_tune_images
    if images < least:
        return Strategy(
            "feature_extraction",
            f"{images} training images are fewer than the {least} from which fine-tuning pays",
        )
    return Strategy("fine_tune", f"{images} training images are at least {least}")
