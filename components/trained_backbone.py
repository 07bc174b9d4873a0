"""Takes the fine-tuned backbone out of a Model artifact, so that another run may begin from it."""

import json
from pathlib import Path

# Its layers are known to Keras once it is imported.
import models.head.head_model  # noqa: F401
from components.artifact_names import KERAS_FILE, SERVING_FOLDER
from models.backbone_file import BackboneRecord, Link, write_backbone
from models.backbones import build_backbone
from models.errors import GraftError
from models.export.assets import FOLDER, LICENCE_FILE
from models.storage.seals import DESCRIPTION


def write_trained_backbone(
    model: Path, file: Path, *, name: str, run: str
) -> BackboneRecord | None:
    """Writes the backbone of a model with its lineage and licence.

    Args:
        model: directory of the Model artifact.
        file: to be written; its name ends in `.weights.h5`.
        name: of the model or of the data, for people.
        run: that trained it.

    Returns:
        What the file says of it; None where the training left the backbone as it was, and nothing
        is written.

    Raises:
        GraftError: the model is damaged, or of an earlier Graft that told less of it.
        UsageError: the file's name ends otherwise.
        OSError: the file cannot be written.
    """
    serving = model / SERVING_FOLDER
    try:
        told = json.loads((serving / DESCRIPTION).read_text("utf-8"))
        if told["exported"] != "fine_tuned" and not told["begun_from"]:
            return None
        # As another run will read it, so that its digest is the one that is looked for there.
        backbone = build_backbone(told["backbone"], str(model / KERAS_FILE), told["image_size"])
        link = Link(
            name=name,
            run=run,
            data_fingerprint=told["data_fingerprint"],
            images=told["training_images"],
            classes=len(told["labels"]),
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
    write_backbone(backbone.trunk.save_weights, record, file)
    return record
