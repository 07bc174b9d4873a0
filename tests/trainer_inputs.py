"""The artifacts that a training reads, made from digits in the form that its neighbours write."""

import json
from pathlib import Path

import keras_tuner
import tensorflow as tf
from tfx.dsl.components.common.importer import Importer
from tfx.types import BaseChannel, standard_artifacts
from training_digits import LABELS, SIZE, digit_paths, write_split

from components.artifact_types import Embeddings, TrainingState
from models.backbones import build_backbone
from models.data import example_schema
from models.data.image_decoding import ImageSpec
from models.embedding.extraction import extract


def write_embeddings(folder: Path, cache: Path) -> None:
    """Embeds the examples of a folder, as FeatureExtractor does."""
    extract(
        str(folder / "examples"),
        example_schema.SPLITS,
        build_backbone("EfficientNetLite0", "imagenet", SIZE),
        "imagenet",
        ImageSpec(SIZE),
        cache_directory=str(cache),
        output_uri=str(folder / "embeddings"),
    )


def write_inputs(digits: Path, folder: Path) -> None:
    """Writes examples, embeddings, the transform graph and the outcome of no search."""
    for split, paths in digit_paths(digits).items():
        write_split(folder / "examples", split, paths)
    write_embeddings(folder, folder / "cache")
    assets = folder / "graph" / "transform_fn" / "assets"
    assets.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(assets / "labels.tfrecord.gz"), "GZIP") as writer:
        for label in reversed(LABELS):
            writer.write(label.encode())
    (folder / "best").mkdir()
    (folder / "best" / "best_hyperparameters.txt").write_text(
        json.dumps(keras_tuner.HyperParameters().get_config())
    )
    (folder / "state").mkdir()


def importers(folder: Path) -> dict[str, Importer]:
    """Nodes that bring in what `write_inputs` wrote, by the names of their folders."""
    splits = {"split_names": json.dumps(list(example_schema.SPLITS))}
    kinds = {
        "examples": (standard_artifacts.Examples, splits),
        "graph": (standard_artifacts.TransformGraph, None),
        "embeddings": (Embeddings, None),
        "best": (standard_artifacts.HyperParameters, None),
        "state": (TrainingState, None),
    }
    return {
        name: Importer(str(folder / name), kind, properties=properties).with_id(name)
        for name, (kind, properties) in kinds.items()
    }


def channels(nodes: dict[str, Importer]) -> dict[str, BaseChannel]:
    """Their outputs, as Trainer names them."""
    names = {
        "examples": "examples",
        "transform_graph": "graph",
        "embeddings": "embeddings",
        "hyperparameters": "best",
        "state": "state",
    }
    return {key: nodes[name].outputs["result"] for key, name in names.items()}
