"""The backbone and how one of several is chosen: the sections `model` and `choice`."""

from typing import Annotated, Any, Final, Literal

from pydantic import Field

from models.backbone_choice.backbone_choice import Candidate
from models.backbone_names import LITES, default_image_size
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
    chain: tuple[str, ...] = ()
    """Folders of related labelled images, such as [../public], that the backbone is fine-tuned on
    first, one after the other, each in a run of its own below the workspace. What came of it is
    tried as any file of weights, and not used where it harms for sure. Empty: none."""
    image_size: _Side | None = None
    """Side in pixels that images are resized to. Empty: the backbone's own."""
    resize: Literal["stretch", "pad", "crop"] = "stretch"
    """How a rectangle becomes a square."""
    features: Literal["all", "last"] = "all"
    """all: the head sees the means of all the backbone's blocks, from the same forward pass; last:
    its last output alone."""
    candidates: tuple[CandidateSettings, ...] | None = None
    """Backbones that the search chooses among, such as [{image_size: 128}, {image_size: 224},
    {backbone: MobileNetV2}]; what one leaves out is as above, and the first is the usual one. []:
    no choice, the one above. Empty: likewise, but where backbone, weights and image_size are as
    above all untouched EfficientNetLite0, 1 and 2, each at its own size and at 160 px."""

    @property
    def asked_candidates(self) -> list[dict[str, Any]]:
        """`backbone`, `weights` and `image_size` (or None) of each, the usual one first."""
        own = self.model_dump(include=set(CandidateSettings.model_fields))
        if self.candidates is not None:
            given = [each.model_dump(exclude_none=True) for each in self.candidates] or [{}]
        elif own == {name: _DEFAULT[name] for name in own}:
            sizes = (None, _SMALLER)
            given = [{"backbone": name, "image_size": size} for name in LITES for size in sizes]
        else:
            given = [{}]
        return [own | each for each in given]

    @property
    def resolved_candidates(self) -> tuple[Candidate, ...]:
        """Each once, the usual one first, with its size in pixels.

        Raises:
            UsageError: an unknown backbone.
        """
        return tuple(dict.fromkeys(map(_settled, self.asked_candidates)))


_DEFAULT: Final = {name: field.default for name, field in ModelSettings.model_fields.items()}
_SMALLER: Final = 160
"""Side in pixels, beside a backbone's own."""


def _settled(asked: dict[str, Any]) -> Candidate:
    size = asked["image_size"] or default_image_size(asked["backbone"])
    return Candidate(**asked | {"image_size": size})


class ChoiceSettings(Section):
    """What a cheaper model is worth, where a search chooses among backbones."""

    price: Fraction = 0.005
    """Accuracy that a model must gain for each doubling of what it computes for an image."""
