"""What a training begins from where it goes on from an earlier model."""

from dataclasses import dataclass
from pathlib import Path

import keras

from models.backbones import Backbone, build_backbone
from models.backbones.weight_files import digest
from models.embedding.artifact import EmbeddingInfo
from models.errors import GraftError, UsageError
from models.head.earlier_head import EarlierHead, head_of
from models.training.model_description import Description, check_fit, unusable
from models.training.training_task import with_head


@dataclass(frozen=True)
class EarlierModel:
    """A model that Graft trained before.

    Attributes:
        backbone: with its weights.
        head: on the features of that backbone; neither learned from a validation image.
        labels: class names in the order of its outputs.
        digest: of all its weights.
    """

    backbone: Backbone
    head: EarlierHead
    labels: tuple[str, ...]
    digest: str


def read_earlier_model(
    file: Path,
    described: Description,
    info: EmbeddingInfo,
    start_head: Path | None = None,
    start_model: Path | None = None,
) -> EarlierModel:
    """Reads a model and checks that it is the one that was exported.

    Args:
        file: `.keras` file of the whole model.
        described: what its export says of it.
        info: of the embeddings of the coming training, whose backbone it must have.
        start_head: `.keras` file of the head to begin from, where that of the model learned from
            validation images, which judge the coming training too; None where it did not.
        start_model: that of the model to begin from, where the backbone learned from them too.

    Raises:
        UsageError: it has another backbone, size or kind of features.
        GraftError: the file is missing or damaged.
    """
    check_fit(described, info.backbone, info.image_size)
    try:
        model = keras.saving.load_model(file, compile=False)
        found = digest(model)
        start = start_head or start_model
        head = keras.saving.load_model(start, compile=False) if start else model
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GraftError(f"{unusable(file)} It cannot be read: {error}.") from error
    if found != described.model_digest:
        raise GraftError(f"{unusable(file)} Its weights are not those that were exported.")
    earlier = head_of(head)
    if len(earlier.mean) != info.dimension:
        raise UsageError(
            f"The last blessed model sees {len(earlier.mean)} features of an image, and "
            f"model.features: {info.features} has {info.dimension}. Set it as it was, or "
            "training.start: pretrained."
        )
    weights = str(start_model or file)
    backbone = build_backbone(info.backbone, weights, info.image_size, features=info.features)
    return EarlierModel(backbone, earlier, described.labels, found)


def earlier_by_head(
    backbone: Backbone, head_file: Path, described: Description, start_head: Path | None = None
) -> EarlierModel | None:
    """The same, sooner, of a model that has the backbone at hand and a head of its own.

    Args:
        backbone: of the coming training, as it was pretrained.
        head_file: `.keras` file of the head.
        described: what the model's export says of it.
        start_head: as for `read_earlier_model`.

    Returns:
        None where backbone and head together are not the weights that were exported.
    """
    try:
        head = keras.saving.load_model(head_file, compile=False)
        start = keras.saving.load_model(start_head, compile=False) if start_head else head
        found = digest(with_head(backbone.model, head))
        earlier = head_of(start)
    except (OSError, ValueError, KeyError, TypeError, UsageError):
        return None
    is_whole = found == described.model_digest and len(earlier.mean) == backbone.dimension
    return EarlierModel(backbone, earlier, described.labels, found) if is_whole else None
