"""Whether a training keeps the network of the last blessed model, and learns its head alone."""

from pathlib import Path
from typing import Final

from components.artifact_names import SERVING_FOLDER, START_MODEL_FILE
from components.image_register import read_register
from models.data import example_schema
from models.errors import GraftError
from models.training.model_description import read_description

LEAST_KNOWN: Final = 0.95
"""Share of the images that a network has to know, for its head alone to be learned anew
(`benchmarks/strategies/more_images.py`)."""


def known_share(model: Path, examples: Path) -> float:
    """The share of images that the network of a model was trained for, under the class of now.

    Args:
        model: directory of the Model artifact.
        examples: directory of the Examples; their training and validation images count.

    Returns:
        0 where nobody knows what it was trained for, or a class is new to it.
    """
    learned, now = read_register(model), read_register(examples)
    if learned is None or now is None:
        return 0.0
    known = learned.by_class()
    images = now.only(example_schema.TRAIN, example_schema.VALIDATION).by_class()
    if not images or not set(images.values()) <= set(known.values()):
        return 0.0
    return sum(known.get(digest) == label for digest, label in images.items()) / len(images)


def is_kept(model: Path, examples: Path, recipe: str) -> bool:
    """Whether a training on such images would hardly make another network.

    One that learned from its validation images is not kept: these judge the next training too, and
    the network as it was before is a worse one. Images are few then, and a training costs little.

    Args:
        model: directory of the Model artifact.
        examples: directory of the Examples.
        recipe: digest of the configuration of now, as in `Network.recipe`.
    """
    try:
        network = read_description(model / SERVING_FOLDER).network
    except GraftError:
        return False
    if network is None or (network.exported, network.recipe) != ("fine_tuned", recipe):
        return False
    if (model / START_MODEL_FILE).exists():
        return False
    return known_share(model, examples) >= LEAST_KNOWN
