"""The backbone and how one of several is chosen: the sections `model` and `choice`."""

from typing import Annotated, Any, Literal

from pydantic import Field

from models.settings import Fraction, Section

_Side = Annotated[int, Field(ge=32, le=1024)]


class CandidateSettings(Section):
    """One of several backbones to choose from; what it leaves empty is as in model."""

    backbone: str | None = None
    """As model.backbone."""
    weights: str | None = None
    """As model.weights."""
    image_size: _Side | None = None
    """As model.image_size."""


class ModelSettings(Section):
    """The pretrained backbone."""

    backbone: str = "EfficientNetLite0"
    """EfficientNetLite0, 1 or 2, or any model of Keras Applications by name (MobileNetV2, ResNet50,
    …)."""
    weights: str = "imagenet"
    """imagenet, the path of a weights file, or none (random; for tests)."""
    image_size: _Side | None = None
    """Side in pixels that images are resized to. Empty: the backbone's own."""
    resize: Literal["stretch", "pad", "crop"] = "stretch"
    """How a rectangle becomes a square."""
    features: Literal["all", "last"] = "all"
    """all: the head sees the means of all the backbone's blocks, from the same forward pass; last:
    its last output alone."""
    candidates: tuple[CandidateSettings, ...] = ()
    """Backbones of which the data choose one, such as [{image_size: 128}, {image_size: 224},
    {backbone: MobileNetV2}]; what one leaves out is as above. Empty: no choice, the one above."""

    @property
    def resolved_candidates(self) -> list[dict[str, Any]]:
        """`backbone`, `weights` and `image_size` of each candidate."""
        own = self.model_dump(include=set(CandidateSettings.model_fields))
        return [own | each.model_dump(exclude_none=True) for each in self.candidates]


class ChoiceSettings(Section):
    """How one of model.candidates is chosen: the cheapest of those that are as good as the best."""

    images: Annotated[int, Field(ge=20, le=10_000)] = 800
    """Training and validation images that each candidate is probed on."""
    price: Fraction = 0.005
    """Accuracy that a candidate must gain for each doubling of its milliseconds an image."""
    standard_errors: Annotated[float, Field(ge=0.0, le=10.0)] = 1.0
    """A cheaper candidate counts as good as the best up to so many standard errors behind it."""
