"""What makes a network out of images, as digests by which TFX and later runs know it again."""

import hashlib
from pathlib import Path

from components.code_fingerprint import code_fingerprint
from models.json_digest import json_digest
from pipeline.config import Config

_NOT_OF_SEARCH = ("few_shot_images",)
"""Keys of `training` that Trainer alone reads."""


def network_recipe(config: Config) -> str:
    """Digest of all that makes a network out of images, but for where it begins."""
    return json_digest(
        {
            "model": config.model.to_json(),
            "choice": config.choice.to_json(),
            "training": config.training.to_json("start"),
            "has_further_labels": bool(config.data.further_labels),
            "tuning": config.tuning.to_json(),
            "seed": config.seed,
            "code": code_fingerprint("components.tuner", "components.trainer")
            + weights_digests(config),
        }
    )


def searched_training(config: Config) -> str:
    """The section `training`, as the search and the time that it tells go by it."""
    training = config.training
    if config.data.further_labels:
        # Their heads are judged on the validation images: no network learns from these before.
        training = training.model_copy(update={"refit_images": 0})
    return training.to_json(*_NOT_OF_SEARCH)


def weights_digests(config: Config) -> str:
    """Digests of the weights files of all candidates."""
    digests = {_weights_digest(each.weights) for each in config.model.resolved_candidates}
    return "".join(sorted(digests))


def _weights_digest(weights: str) -> str:
    """Digest of a weights file, so that another file of the same name is noticed; else empty."""
    path = Path(weights)
    if not path.is_file():
        return ""
    return " " + hashlib.sha256(path.read_bytes()).hexdigest()[:16]
