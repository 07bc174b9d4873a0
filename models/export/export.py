"""Exports a classifier as a SavedModel that TensorFlow Serving can run.

What is saved is functions that were traced already, and variables alone: what `tf.saved_model.save`
makes of a Keras 3 model loads in Python and fails in every C++ session.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import astuple
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

import keras
import tensorflow as tf

from models.data import example_schema
from models.data.class_labels import class_index
from models.data.image_decoding import ImageSpec
from models.data.sample_depth import SampleRange
from models.export.answers import (
    FurtherColumn,
    Outputs,
    answering,
    explaining,
    only,
    outputs_of,
)
from models.export.assets import write_labels, write_licence, write_warm_up
from models.export.explanation import explainable
from models.export.images import decode_images
from models.storage.atomic_write import write_atomically
from models.storage.seals import DESCRIPTION, write_sums

_EXPLAINED: Final = "explained"
"""Name of the signature that not every model has."""


def export_model(
    model: keras.Model,
    embedding: keras.KerasTensor,
    labels: tuple[str, ...],
    spec: ImageSpec,
    directory: Path,
    description: dict[str, Any],
    *,
    licence: str,
    sample_range: SampleRange | None,
    max_pixels: int,
    further: Sequence[FurtherColumn] = (),
) -> None:
    """Writes a SavedModel with five signatures, or six.

    - `serving_default`: `image_bytes` string [n], encoded images, to `probabilities` float32
      [n, k] in the order of the labels, `class_ids` int64 [n, t] and `labels` string [n, t], the t
      most likely classes, most likely first; t is 5, or k where there are fewer classes. Each
      further label column has the same three, named `COLUMN/probabilities` and so on; the next
      three signatures give them, too.
    - `serving_examples`: `examples` string [n], serialized tf.Examples, to the same.
    - `monitored`: `image_bytes` to the same, `embedding` float32 [n, d], what the head reads, and
      `image_signals` float32 [n, 5], in one pass.
    - `explained`: `image_bytes` and `class_id` int64 [n], a class's place or -1 for the likeliest,
      to what `serving_default` gives, `heat` float32 [n, g, g] in 0..1, how much each place of
      the image speaks for the class, and `seen_bytes` string [n], JPEGs of the squares that the
      model saw, which the heat lies over. Left out where the head does not read the means of maps
      (`models.export.explanation`).
    - `evaluate`: `examples` to `probabilities` alone, for TFMA.
    - `transform_labels`: `examples` to `label_id` int64 [n], -1 for an unknown class, for TFMA.

    In `assets.extra` are the description `graft.json`, the class names of each column, the licence
    of the weights, requests to warm up with, and the digests of all files, `SHA256SUMS`.

    Args:
        model: from float32 [n, s, s, 3], RGB in 0..255, to probabilities [n, k].
        embedding: in the model's graph, what its head reads, float32 [n, d].
        labels: class names in the order of the outputs.
        spec: how an image becomes the model's square.
        directory: is made.
        description: values for `assets.extra/graft.json`, beside the other arguments.
        licence: of the weights that the model was trained from, in words.
        sample_range: black and white of images of more than 8 bits a channel, as they were at
            ingest; None where the model was trained on none.
        max_pixels: an image with more is refused, as at ingest.
        further: label columns that it answers beside its own.
    """
    decode = _decoder(spec, sample_range, max_pixels)
    signatures = _signatures(model, embedding, labels, decode, further)
    _write_graphs(signatures, directory)
    content = {
        "labels": labels,
        "image_size": spec.size,
        "resize": spec.resize,
        "sample_range": sample_range and astuple(sample_range),
        "max_pixels": max_pixels,
        "explains": _EXPLAINED in signatures,
        "further_labels": {column.name: column.labels for column in further},
        **description,
    }
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_atomically(directory / DESCRIPTION, text.encode())
    write_labels(directory, labels)
    for column in further:
        write_labels(directory, column.labels, column.name)
    write_licence(directory, licence)
    write_warm_up(directory, spec.size, _EXPLAINED in signatures)
    write_sums(directory)


@lru_cache(maxsize=8)
def _decoder(
    spec: ImageSpec, sample_range: SampleRange | None, max_pixels: int
) -> Callable[[tf.Tensor], tf.Tensor]:
    """`decode_images`, whose graph takes a third of the time of an export, traced once for all."""
    return tf.function(
        partial(decode_images, spec=spec, sample_range=sample_range, max_pixels=max_pixels),
        input_signature=[tf.TensorSpec([None], tf.string)],
        autograph=False,
    )


def _signatures(
    model: keras.Model,
    embedding: keras.KerasTensor,
    labels: tuple[str, ...],
    decode: Callable[[tf.Tensor], tf.Tensor],
    further: Sequence[FurtherColumn],
) -> dict[str, Any]:
    """The traced function of each signature."""
    answer = answering(model, embedding, labels, decode, further)
    predicted = outputs_of(further)

    def predict(image_bytes: tf.Tensor) -> Outputs:
        return only(answer(image_bytes), *predicted)

    def label_ids(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"label_id": class_index(_feature(examples, example_schema.LABEL), labels)}

    def evaluate(examples: tf.Tensor) -> Outputs:
        return only(answer(_feature(examples, example_schema.IMAGE)), "probabilities")

    signatures: dict[str, Any] = {}

    def add(name: str, endpoint: Callable[..., Outputs], *signature: tf.TensorSpec) -> None:
        traced = tf.function(endpoint, input_signature=signature, autograph=False)
        signatures[name] = traced.get_concrete_function()

    encoded = tf.TensorSpec([None], tf.string, name="image_bytes")
    examples = tf.TensorSpec([None], tf.string, name="examples")
    add("serving_default", predict, encoded)
    add(
        "serving_examples",
        lambda examples: predict(_feature(examples, example_schema.IMAGE)),
        examples,
    )
    add("monitored", answer, encoded)
    explained = explainable(model, embedding)
    if explained:
        class_id = tf.TensorSpec([None], tf.int64, name="class_id")
        explain = explaining(model, embedding, labels, decode, explained, further)
        add(_EXPLAINED, explain, encoded, class_id)
    add("evaluate", evaluate, examples)
    add("transform_labels", label_ids, examples)
    return signatures


def _write_graphs(endpoints: dict[str, Any], directory: Path) -> None:
    """Writes traced functions as signatures, with the variables that they use.

    An archive of Keras would trace each of them twice, and take twice as long.
    """
    root = tf.Module()
    used = (variable for each in endpoints.values() for variable in each.variables)
    root.used = list({id(variable): variable for variable in used}.values())
    tf.saved_model.save(root, str(directory), signatures=endpoints)


def _feature(examples: tf.Tensor, name: str) -> tf.Tensor:
    """One string feature of serialized Examples, string [n]; the others are not copied."""
    return tf.io.parse_example(examples, {name: tf.io.FixedLenFeature([], tf.string)})[name]
