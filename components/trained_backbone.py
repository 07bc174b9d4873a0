"""Takes the fine-tuned backbone out of a Model artifact, so that another run may begin from it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Its layers are known to Keras once it is imported.
import models.head.head_model  # noqa: F401
from components.artifact_names import KERAS_FILE, SERVING_FOLDER
from components.image_register import REGISTER_FILE, read_register
from models.backbone_record import BackboneRecord, Link
from models.backbones import build_backbone
from models.backbones.backbone_file import read_images, short_digests, write_backbone
from models.data import example_schema
from models.errors import GraftError, UsageError
from models.export.assets import FOLDER, LICENCE_FILE
from models.storage.seals import DESCRIPTION
from models.training.model_description import Network


def write_trained_backbone(
    model: Path, examples: Path, file: Path, *, name: str, run: str
) -> BackboneRecord | None:
    """Writes the backbone of a model with its lineage and licence.

    Args:
        model: directory of the Model artifact.
        examples: of the Examples artifact that it was trained on.
        file: to be written; its name ends in `.weights.h5`.
        name: of the model or of the data, for people.
        run: that trained it.

    Returns:
        What the file says of it; None where the training left the backbone as it was, and nothing
        is written.

    Raises:
        GraftError: the model is damaged, or of an earlier Graft that told less of it; or nobody
            knows any more which images it learned from.
        UsageError: the file's name ends otherwise, the file that the model began from is not
            there any more, or it went on from an earlier model.
        OSError: the file cannot be written.
    """
    serving = model / SERVING_FOLDER
    try:
        told = json.loads((serving / DESCRIPTION).read_text("utf-8"))
        network = _network(told)
        if network.begun_from:
            raise UsageError(
                f"{name} went on from an earlier model (training.start: champion), and which "
                "images that learned from is not known here. Take the backbone of a model that "
                "began with training.start: pretrained."
            )
        if network.exported != "fine_tuned":
            return None
        # As another run will read it, so that its digest is the one that is looked for there.
        backbone = build_backbone(told["backbone"], str(model / KERAS_FILE), told["image_size"])
        link = Link(
            name=name,
            run=run,
            data_fingerprint=network.data_fingerprint,
            images=network.images,
            classes=network.classes,
            begun_from=told["weights_digest"],
            weights_digest=backbone.weights_digest,
        )
        record = BackboneRecord(
            backbone=told["backbone"],
            image_size=told["image_size"],
            resize=told["resize"],
            licence=(serving / FOLDER / LICENCE_FILE).read_text("utf-8"),
            links=(*(Link(**each) for each in told["chain"]), link),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise GraftError(
            f"{model} does not tell all that a backbone is written with ({error!r}). Models of an "
            "earlier Graft do not; train it anew with `graft run`."
        ) from error
    if link.weights_digest == link.begun_from:
        return None
    images = _learned(model, examples, told["weights"] if told["chain"] else "")
    write_backbone(backbone.trunk.save_weights, record, images, file)
    return record


def _network(told: Mapping[str, Any]) -> Network:
    """How the network came about, by what a model says of itself."""
    if "network" in told:
        return Network(**told["network"])
    # A model of an earlier Graft made its network itself.
    return Network(
        recipe="",
        exported=told["exported"],
        begun_from=told["begun_from"],
        data_fingerprint=told["data_fingerprint"],
        images=told["training_images"],
        classes=len(told["labels"]),
    )


def _learned(model: Path, examples: Path, begun_from: str) -> NDArray[np.uint64]:
    """The images that chose or made the weights, before too."""
    register = read_register(model) or read_register(examples)
    if register is None:
        raise GraftError(
            f"{examples} does not say which images were learned from: its file {REGISTER_FILE} is "
            "missing or damaged. `graft run` makes it anew."
        )
    own = register.in_splits(example_schema.TRAIN, example_schema.VALIDATION)
    images = short_digests(each.hex() for each in own)
    return np.union1d(images, read_images(begun_from)) if begun_from else images
