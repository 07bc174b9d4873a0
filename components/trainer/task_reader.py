"""The task of a training, from the artifacts that it reads."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from components.embedded_data import EmbeddedData, read_data
from models.backbones import Backbone, build_backbone
from models.data.example_schema import UNLABELLED
from models.data.image_decoding import ImageSpec, Resize
from models.embedding.extraction import embed_splits
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
        unlabelled_uri: of Examples without labels; empty for none.
        embeddings_dir: of the store that keeps embeddings from run to run.
    """

    examples_uri: str
    embeddings_uri: str
    labels: tuple[str, ...]
    values: Mapping[str, Any]
    left_out: tuple[str, ...] = ()
    unlabelled_uri: str = ""
    embeddings_dir: str = ""


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
    spec = ImageSpec(info.image_size, cast(Resize, info.resize))
    task = TrainingTask(
        examples_uri=inputs.examples_uri,
        labels=inputs.labels,
        spec=spec,
        backbone=backbone,
        embeddings=data.task,
        settings=with_choice(settings, inputs.values),
        seed=seed,
        scratch=scratch,
        log_dir=log_dir,
        is_searched=bool(inputs.values),
        left_out=inputs.left_out,
        unlabelled=_unlabelled(inputs, backbone, spec),
    )
    return ReadTask(task, data)


def _unlabelled(inputs: Inputs, backbone: Backbone, spec: ImageSpec) -> NDArray[np.float32] | None:
    if not inputs.unlabelled_uri:
        return None
    splits = embed_splits(
        inputs.unlabelled_uri, (UNLABELLED,), backbone, spec, inputs.embeddings_dir
    )
    return splits[UNLABELLED].embeddings
