"""The task of a training, from the artifacts that it reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from components.embedded_data import EmbeddedData, read_data
from models.backbones import build_backbone
from models.data.image_decoding import ImageSpec, Resize
from models.errors import UsageError
from models.search.joint_space import with_choice
from models.training.training_settings import TrainingSettings
from models.training.training_task import TrainingTask


@dataclass(frozen=True)
class Inputs:
    """What a training is made from.

    Attributes:
        examples_uri: of Examples.
        embeddings_uri: of Embeddings.
        labels: class names in the order of the outputs.
        values: of the configuration that a search chose; empty where nothing was searched.
        left_out: names of training images that are not trained on.
    """

    examples_uri: str
    embeddings_uri: str
    labels: tuple[str, ...]
    values: Mapping[str, Any]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class ReadTask:
    """A task, and where it comes from.

    Attributes:
        task: to train on.
        data: its embeddings.
    """

    task: TrainingTask
    data: EmbeddedData


def read_task(
    inputs: Inputs,
    settings: TrainingSettings,
    *,
    seed: int,
    scratch: Path,
    log_dir: Path,
) -> ReadTask:
    """Reads the embeddings and builds the backbone that they were made with.

    Args:
        inputs: of the training.
        settings: of the configuration; what was searched takes their place.
        seed: of everything random.
        scratch: of the training.
        log_dir: for TensorBoard.

    Raises:
        BadDataError: no image to train or to validate on.
        UsageError: the weights are not those that the embeddings were made with.
    """
    data = read_data(inputs.embeddings_uri, inputs.labels, inputs.left_out)
    info = data.info
    backbone = build_backbone(info.backbone, info.weights, info.image_size, features=info.features)
    if backbone.weights_digest != info.weights_digest:
        raise UsageError(
            f"the weights of {info.backbone} ({info.weights}) have changed since the embeddings "
            "were computed: run again, so that they are computed anew"
        )
    task = TrainingTask(
        examples_uri=inputs.examples_uri,
        labels=inputs.labels,
        spec=ImageSpec(info.image_size, cast(Resize, info.resize)),
        backbone=backbone,
        embeddings=data.task,
        settings=with_choice(settings, inputs.values),
        seed=seed,
        scratch=scratch,
        log_dir=log_dir,
        is_searched=bool(inputs.values),
        left_out=inputs.left_out,
    )
    return ReadTask(task, data)
