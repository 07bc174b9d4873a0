"""The task of a training, from the artifacts that it reads."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from components.artifact_names import (
    HEAD_FILE,
    KERAS_FILE,
    PROBE_HEADS_FILE,
    SERVING_FOLDER,
    START_HEAD_FILE,
    START_MODEL_FILE,
)
from components.class_changes import changes_between, exchanged, renamed
from components.embedded_data import EmbeddedData, read_data
from components.example_gen.replay import has_replayed
from components.image_register import read_register
from components.kept_network import known_share
from models import progress
from models.backbone_record import Link, read_record
from models.backbones import Backbone, build_backbone
from models.backbones.licences import weights_licence
from models.data import example_schema
from models.data.image_decoding import ImageSpec, Resize
from models.data.record_places import count_records
from models.embedding.extraction import embed_splits
from models.errors import GraftError, UsageError
from models.export.assets import FOLDER, LICENCE_FILE
from models.head.earlier_head import EarlierProbe
from models.head.embedded_task import embedded_task
from models.head.frozen_probe import read_probe_heads
from models.head.labelled_embeddings import UnlabelledEmbeddings
from models.search.joint_space import with_choice
from models.training.earlier_model import earlier_by_head, read_earlier_model
from models.training.model_description import Network, read_description
from models.training.strategies.self_training import MOST
from models.training.strategies.strategy import Situation
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
        left_out: names of images that are neither trained nor validated on.
        unlabelled_uri: of Examples without labels; empty for none.
        target_uri: of Examples of another domain without labels; empty for none.
        embeddings_dir: of the store that keeps embeddings from run to run, of any backbone.
        champion_uri: of the Model to begin from; None for pretrained weights.
        champion_examples_uri: of the Examples that it was trained on; None where they are gone.
        keeps_network: whether the head of that Model alone is learned.
    """

    examples_uri: str
    embeddings_uri: str
    labels: tuple[str, ...]
    values: Mapping[str, Any]
    left_out: tuple[str, ...] = ()
    unlabelled_uri: str = ""
    target_uri: str = ""
    embeddings_dir: str = ""
    champion_uri: str | None = None
    champion_examples_uri: str | None = None
    keeps_network: bool = False


@dataclass(frozen=True)
class ReadTask:
    """A task, and where it comes from.

    Attributes:
        task: to train on.
        data: its embeddings, of the pretrained backbone.
        licence: of the weights that the backbone begins with, in words.
        chain: trainings that the backbone went through before.
        begun_from: digest of the model that the task begins from; empty for none.
        network: how the network came about that is kept; None where the training makes it.
        probe: best head of that model's training on the pretrained backbone; None for none.
    """

    task: TrainingTask
    data: EmbeddedData
    licence: str
    chain: tuple[Link, ...] = ()
    begun_from: str = ""
    network: Network | None = None
    probe: EarlierProbe | None = None


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
        UsageError: the weights are not those that the embeddings were made with, or the model to
            begin from has another backbone or size.
        GraftError: the model to begin from is damaged, and was asked for.
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
    settings = with_choice(
        settings.for_images(has_replayed=has_replayed(inputs.examples_uri)), inputs.values
    )
    task = TrainingTask(
        examples_uri=inputs.examples_uri,
        labels=inputs.labels,
        spec=spec,
        backbone=backbone,
        embeddings=data.task,
        settings=settings,
        seed=seed,
        scratch=scratch,
        log_dir=log_dir,
        is_searched=bool(inputs.values),
        left_out=inputs.left_out,
        unlabelled=_unlabelled(inputs, backbone, spec, Situation(data.task, settings)),
        unlabelled_uri=inputs.unlabelled_uri,
        target_uri=inputs.target_uri,
    )
    record = read_record(info.weights)
    licence = weights_licence(info.backbone, info.weights)
    read = ReadTask(task, data, licence, record.links if record else ())
    if not inputs.champion_uri:
        return read
    try:
        return _from_champion(read, inputs, Path(inputs.champion_uri))
    except UsageError:
        # Of another backbone or other features: then the search has chosen what is trained.
        if settings.start == "auto":
            return read
        raise
    except GraftError as error:
        if settings.start != "auto":
            raise
        words = f"{error} Here the training begins from pretrained weights."
        progress.report(0, 0, "images", words, is_lasting=True)
        return read


def _unlabelled(
    inputs: Inputs, backbone: Backbone, spec: ImageSpec, situation: Situation
) -> UnlabelledEmbeddings | None:
    uri, split = inputs.unlabelled_uri, example_schema.UNLABELLED
    if not uri:
        return None
    images = count_records(uri, split)
    # They may be very many, and only strategies for few images read what is made of a part.
    if not situation.is_few_shot:
        return UnlabelledEmbeddings(np.zeros((0, 0), np.float32), images)
    splits = embed_splits(uri, (split,), backbone, spec, inputs.embeddings_dir, MOST)
    return UnlabelledEmbeddings(splits[split].embeddings, images)


def _from_champion(read: ReadTask, inputs: Inputs, champion: Path) -> ReadTask:
    """The same task, with the weights of an earlier model."""
    described = read_description(champion / SERVING_FOLDER)
    starts = (champion / name for name in (START_HEAD_FILE, START_MODEL_FILE))
    start_head, start_model = (start if start.exists() else None for start in starts)
    earlier = earlier_by_head(read.task.backbone, champion / HEAD_FILE, described, start_head)
    if earlier is None:
        file = champion / KERAS_FILE
        earlier = read_earlier_model(file, described, read.data.info, start_head, start_model)
    changes = changes_between(
        earlier.labels,
        inputs.labels,
        read_register(Path(inputs.champion_examples_uri)) if inputs.champion_examples_uri else None,
        read_register(Path(inputs.examples_uri)),
    )
    names = earlier.labels, inputs.labels, renamed(changes) | exchanged(changes)
    probe = read_probe_heads(champion / PROBE_HEADS_FILE, read.data.info.key)
    embeddings, unlabelled = read.task.embeddings, read.task.unlabelled
    if earlier.backbone.weights_digest != read.data.info.weights_digest:
        splits = embed_splits(
            inputs.examples_uri,
            (example_schema.TRAIN, example_schema.VALIDATION),
            earlier.backbone,
            read.task.spec,
            inputs.embeddings_dir,
        )
        embeddings = embedded_task(
            splits[example_schema.TRAIN],
            splits[example_schema.VALIDATION],
            inputs.labels,
            inputs.left_out,
        )
        situation = Situation(embeddings, read.task.settings)
        unlabelled = _unlabelled(inputs, earlier.backbone, read.task.spec, situation)
    task = replace(
        read.task,
        backbone=earlier.backbone,
        embeddings=embeddings,
        unlabelled=unlabelled,
        earlier=earlier.head.for_classes(*names),
        known=known_share(champion, Path(inputs.examples_uri)) if inputs.keeps_network else None,
    )
    # What the champion began with is what these weights are under.
    licence = (champion / SERVING_FOLDER / FOLDER / LICENCE_FILE).read_text("utf-8")
    return ReadTask(
        task,
        read.data,
        licence,
        described.chain,
        earlier.digest,
        described.network if inputs.keeps_network else None,
        probe and probe.for_classes(*names),
    )
