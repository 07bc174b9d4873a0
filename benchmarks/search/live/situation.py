"""What each arm of the live comparison is given, and what it gives back."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from models.backbone_choice.backbone_choice import Candidate
from models.backbone_choice.model_settings import ModelSettings
from models.backbones.block_features import FeatureSource
from models.search.search_task import SearchTask
from models.training.training_settings import TrainingSettings


class Situation(BaseModel):
    """A task and a time.

    Attributes:
        examples_uri: folder of the Examples, with the splits train, validation and test. The last
            is for `judging` alone.
        images: folder with the same splits, each with a folder per class in the order of `labels`.
        labels: class names in the order of the outputs.
        seed: of everything random.
        seconds: until the model must be chosen.
        scratch: folder of this arm alone.
    """

    model_config = ConfigDict(frozen=True)

    examples_uri: str
    images: Path
    labels: tuple[str, ...]
    seed: int
    seconds: float
    scratch: Path

    def task(
        self,
        *,
        candidates: tuple[Candidate, ...] = ModelSettings().resolved_candidates,
        features: FeatureSource = "all",
        training: TrainingSettings | None = None,
    ) -> SearchTask:
        """As a search takes it; what is not given is as by default."""
        return SearchTask(
            examples_uri=self.examples_uri,
            labels=self.labels,
            candidates=candidates,
            resize="stretch",
            features=features,
            training=training or TrainingSettings(),
            seed=self.seed,
            embeddings=str(self.scratch / "embeddings"),
            activations=str(self.scratch / "activations"),
        )


@dataclass(frozen=True)
class Clock:
    """Runs from the moment it is made.

    Attributes:
        seconds: that there are.
    """

    seconds: float
    _begun: float = field(default_factory=time.monotonic)

    @property
    def spent(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self._begun

    @property
    def left(self) -> float:
        """Seconds to the end; below 0 behind it."""
        return self.seconds - self.spent


class Outcome(BaseModel):
    """What an arm came to.

    Attributes:
        accuracy: share of the test images answered rightly.
        log_loss: of the test images, in nats.
        seconds: until the model was chosen.
        chosen: in words.
        notes: further figures.
    """

    model_config = ConfigDict(frozen=True)

    accuracy: float
    log_loss: float
    seconds: float
    chosen: str
    notes: dict[str, Any] = {}
