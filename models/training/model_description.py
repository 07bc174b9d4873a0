"""What an exported model says of itself, and whether a training can begin from it."""

import json
from dataclasses import dataclass
from pathlib import Path

from models.backbone_record import Link
from models.errors import GraftError, UsageError
from models.storage.seals import DESCRIPTION


@dataclass(frozen=True)
class Network:
    """How the network of a model, all of it but the head, came about.

    Attributes:
        recipe: digest of the configuration that it was made by.
        exported: "fine_tuned", or "head" where training left it as it was.
        begun_from: digest of the model that its training began from; empty for none.
        data_fingerprint: names the images, labels and split of that training.
        images: that it was trained on.
        classes: that it told apart.
    """

    recipe: str
    exported: str
    begun_from: str
    data_fingerprint: str
    images: int
    classes: int


@dataclass(frozen=True)
class Description:
    """What an exported model says of itself.

    Attributes:
        backbone: its name.
        image_size: side in pixels.
        model_digest: of all weights.
        labels: class names in the order of the outputs.
        chain: trainings that its backbone went through before its own.
        network: how its network came about, maybe in an earlier run; None if it does not say so.
    """

    backbone: str
    image_size: int
    model_digest: str
    labels: tuple[str, ...]
    chain: tuple[Link, ...] = ()
    network: Network | None = None

    def is_of(self, backbone: str, image_size: int | None) -> bool:
        """Whether a training of that backbone, at that side in pixels, can begin from the model."""
        return (self.backbone, self.image_size) == (backbone, image_size)


def read_description(export: Path) -> Description:
    """Reads what an exported model says of itself.

    Args:
        export: directory of the SavedModel.

    Raises:
        GraftError: it says nothing, or not all.
    """
    file = export / DESCRIPTION
    try:
        told = json.loads(file.read_text("utf-8"))
        return Description(
            told["backbone"],
            told["image_size"],
            told["model_digest"],
            tuple(told["labels"]),
            # A model of an earlier Graft says nothing of these.
            tuple(Link(**each) for each in told.get("chain", [])),
            Network(**told["network"]) if "network" in told else None,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GraftError(f"{unusable(file)} It does not say what it is: {error}.") from error


def check_fit(described: Description, backbone: str, image_size: int | None) -> None:
    """Checks that a training can begin from a model.

    Args:
        described: the earlier model.
        backbone: name of that which is to be trained.
        image_size: of that, in pixels.

    Raises:
        UsageError: they do not match; says what to type.
    """
    if described.is_of(backbone, image_size):
        return
    theirs = described.backbone, described.image_size
    raise UsageError(
        f"training.start: champion needs the backbone of the last blessed model, {theirs[0]} at "
        f"{theirs[1]} px, but model asks for {backbone} at {image_size} px. Set model.backbone: "
        f"{theirs[0]} and model.image_size: {theirs[1]}, or training.start: pretrained."
    )


def unusable(file: Path) -> str:
    """The sentence that begins a message on a model that cannot be begun from."""
    return (
        f"The last blessed model, {file}, is no model to begin from; set training.start: "
        "pretrained, or run again after a whole one was blessed."
    )
