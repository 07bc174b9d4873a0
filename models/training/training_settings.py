"""How the final model is trained: the section `training`, and what its strategy means."""

import math
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from models.head.label_handling import LabelErrors
from models.history.records import ClassWeights
from models.settings import Fraction, Section

_PATIENT_STEPS: Final = 100
"""Without a better score before training stops. Of 400 hand signs a training of 13 steps an epoch
was 95.6 % right when it had not got better for three epochs, and 97.6 % after 15."""
_LEAST_PATIENCE, _MOST_PATIENCE = 3, 10
_LAST_PATIENCE: Final = 5
"""Epochs that have to gain something together, once the training images are learned."""

Devices = Literal["one", "all"]
"""Of a machine: the first GPU (or the processors), or all GPUs."""


def _word_of(value: Any) -> Any:
    """What was written: YAML reads on and off as what is true and false."""
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else value


class TrainingSettings(Section):
    """How the final model is trained."""

    start: Literal["auto", "pretrained", "champion"] = "auto"
    """What a training begins from. champion: the weights of the last blessed model, backbone and
    head, so that little new data adds to what it knows; nothing is searched then, and backbone and
    size have to be among those of the section model. Where there is none yet, and for images that
    it was trained on already, that is pretrained. auto: where no tuning.budget is given, champion
    where its images are replayed (data.replay); its network alone, under a head that is learned
    anew, where this was fine-tuned by the same configuration, knows 95 % of the images and has
    learned from none that validates (refit_images); else pretrained."""
    strategy: Literal["auto", "feature_extraction", "fine_tune"] = "auto"
    """feature_extraction trains the head alone; fine_tune then unfreezes the top of the backbone
    at a lower rate; auto chooses by the number of training images."""
    auto_fine_tune_images: Annotated[int, Field(ge=0)] = 150
    """auto fine-tunes from this many training images on: with 160 it gained nothing on objects of
    32 px, with 170 six points on hand signs. Where it promises nothing the head is exported."""
    few_shot_images: Annotated[int, Field(ge=0)] = 20
    """Up to so many labelled images in the middle class the head for few images is tried (nearest
    class mean, cosine, linear discriminant, the best by cross-validation). 0: never."""
    refit_images: Annotated[int, Field(ge=0)] = 1000
    """Up to so many labelled images the model that is exported is trained once more, on the
    validation images too, after these have judged it: a linear head, or the fine-tuned network.
    0: never."""
    epochs: Annotated[int, Field(ge=1, le=100_000)] = 30
    """Most fine-tuning epochs; it goes on only while it pays."""
    patience: Annotated[int, Field(ge=1, le=100_000)] | None = None
    """Epochs without a better validation score before training stops. Empty: 3, and up to 10 with
    few images, of which so many epochs are 100 steps, until the training images are learned. Once
    these are, so many epochs (5 where empty) have to promise 0.3 points of accuracy together."""
    unfreeze: Fraction = 0.5
    """Share of the backbone's weighted layers, from the top, that fine-tuning trains."""
    learning_rate: Annotated[float, Field(gt=0.0, le=1e15)] = 3e-4
    """Rate while fine-tuning, after an epoch that starts near zero."""
    batch_size: Annotated[int, Field(ge=1, le=65_536)] = 32
    """Images a step while fine-tuning."""
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    """Share of the target that fine-tuning spreads evenly over the classes."""
    augment: bool = True
    """Random flips and small changes of framing and light while fine-tuning."""
    class_weights: ClassWeights | Literal["auto"] = "auto"
    """balanced weighs each class by the inverse of its share of the training images, where classes
    matter alike though some are rare. It costs accuracy over all images, which decides here; auto
    is balanced where images of the last blessed model were replayed (`data.replay`), as old classes
    have few of them then, and none elsewhere."""
    label_errors: LabelErrors = "auto"
    """What becomes of training and validation images whose label is taken for wrong (confident
    learning): auto leaves the most doubtful ones of each class out, as large a share as labels are
    surely wrong by the images that are easiest to tell; drop leaves all of them out, keep none. The
    report shows them, and `graft labels --errors` lists them."""
    mixed_precision: Annotated[Literal["auto", "on", "off"], BeforeValidator(_word_of)] = "auto"
    """on, off, or auto: on where there is a GPU."""
    devices: Devices = "one"
    """all: every GPU of the machine takes its share of each batch while fine-tuning. The outcome
    is that of one, but for rounding; raise `batch_size` too, or each has little to do."""
    cache_gigabytes: Annotated[float, Field(ge=0.0, le=1_000_000.0)] = 4.0
    """Most disk for activations of the frozen layers, which are computed once and deleted after
    training. What would need more is computed anew in every epoch."""

    @property
    def weighting(self) -> ClassWeights:
        """What `class_weights` comes to; of auto, for images of which none was replayed."""
        return "none" if self.class_weights == "auto" else self.class_weights

    def for_images(self, *, has_replayed: bool) -> "TrainingSettings":
        """The same settings, with what auto means for the images at hand.

        Args:
            has_replayed: whether some of them are of the last blessed model's data.
        """
        if not has_replayed or self.class_weights != "auto":
            return self
        return self.model_copy(update={"class_weights": "balanced"})

    def may_refit(self, labelled: int) -> bool:
        """Whether what is exported learns from the validation images in the end.

        Args:
            labelled: images to train and to validate on.
        """
        return labelled <= self.refit_images

    @property
    def waits_at_last(self) -> int:
        """Epochs that have to gain something, or training stops, once the images are learned."""
        return self.patience or _LAST_PATIENCE

    def waits(self, images: int) -> int:
        """Epochs without a better score before training stops.

        Args:
            images: to train on.
        """
        if self.patience is not None:
            return self.patience
        wanted = math.ceil(_PATIENT_STEPS / steps_per_epoch(images, self.batch_size))
        return min(max(wanted, _LEAST_PATIENCE), _MOST_PATIENCE)


def steps_per_epoch(images: int, batch_size: int) -> int:
    """Whole batches in an epoch, or 1; which images are left over differs from epoch to epoch."""
    return max(1, images // batch_size)


@dataclass(frozen=True, slots=True)
class Strategy:
    """A strategy, and why it was taken.

    Attributes:
        name: of the two.
        reason: in words.
    """

    name: Literal["feature_extraction", "fine_tune"]
    reason: str


def choose_strategy(
    settings: TrainingSettings, images: int, known: float | None = None
) -> Strategy:
    """Resolves "auto".

    Args:
        settings: of the training.
        images: to train on.
        known: share of the images that an earlier network was trained for, which is kept; None
            for none.
    """
    if known is not None:
        return Strategy(
            "feature_extraction",
            f"the network of the last blessed model is kept, as it was fine-tuned for {known:.1%} "
            "of these images by this configuration (training.start: auto)",
        )
    if settings.strategy != "auto":
        return Strategy(settings.strategy, "asked for in the configuration")
    least = settings.auto_fine_tune_images
    if images < least:
        return Strategy(
            "feature_extraction",
            f"{images} training images are fewer than the {least} from which fine-tuning pays",
        )
    return Strategy("fine_tune", f"{images} training images are at least {least}")
