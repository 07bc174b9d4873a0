"""Exports a classifier as a SavedModel that TensorFlow Serving can run.

Written with `keras.export.ExportArchive`: what `tf.saved_model.save` makes of a Keras 3 model loads
in Python and fails in every C++ session.
"""

import json
from collections.abc import Callable
from dataclasses import astuple
from functools import partial
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from models.data import example_schema
from models.data.class_labels import class_index
from models.data.image_decoding import ImageSpec, decode_batch
from models.data.sample_depth import SampleRange
from models.storage.atomic_write import write_atomically
from models.storage.seals import DESCRIPTION, write_sums

Outputs = dict[str, tf.Tensor]


def export_model(
    model: keras.Model,
    labels: tuple[str, ...],
    spec: ImageSpec,
    directory: Path,
    description: dict[str, Any],
    sample_range: SampleRange | None = None,
) -> None:
    """Writes a SavedModel with four signatures.

    - `serving_default`: `image_bytes` string [n], encoded images, to `probabilities` float32
      [n, k], `label` string [n] and `score` float32 [n], the probability of the label.
    - `serving_examples`: `examples` string [n], serialized tf.Examples, to the same.
    - `evaluate`: `examples` to `probabilities` alone, for TFMA.
    - `transform_labels`: `examples` to `label_id` int64 [n], -1 for an unknown class, for TFMA.

    The digests of all files are in `assets.extra/SHA256SUMS`.

    Args:
        model: from float32 [n, s, s, 3], RGB in 0..255, to probabilities [n, k].
        labels: class names in the order of the outputs.
        spec: how an image becomes the model's square.
        directory: is made.
        description: values for `assets.extra/graft.json`, beside the other arguments.
        sample_range: black and white of images of more than 8 bits a channel, as they were at
            ingest; None where the model was trained on none.
    """
    archive = keras.export.ExportArchive()
    archive.track(model)
    answer = _answer(model, labels, partial(decode_batch, spec=spec, sample_range=sample_range))
    encoded = tf.TensorSpec([None], tf.string, name="image_bytes")
    archive.add_endpoint("serving_default", answer, input_signature=[encoded])
    examples = [tf.TensorSpec([None], tf.string, name="examples")]
    archive.add_endpoint(
        "serving_examples",
        lambda examples: answer(_feature(examples, example_schema.IMAGE)),
        input_signature=examples,
    )
    archive.add_endpoint(
        "evaluate",
        lambda examples: {
            "probabilities": answer(_feature(examples, example_schema.IMAGE))["probabilities"]
        },
        input_signature=examples,
    )
    archive.add_endpoint(
        "transform_labels",
        lambda examples: {
            "label_id": class_index(_feature(examples, example_schema.LABEL), labels)
        },
        input_signature=examples,
    )
    archive.write_out(str(directory), verbose=False)
    content = {
        "labels": labels,
        "image_size": spec.size,
        "resize": spec.resize,
        "sample_range": sample_range and astuple(sample_range),
        **description,
    }
    text = json.dumps(content, indent=2, ensure_ascii=False) + "\n"
    write_atomically(directory / DESCRIPTION, text.encode())
    write_sums(directory)


def _answer(
    model: keras.Model, labels: tuple[str, ...], decode: Callable[[tf.Tensor], tf.Tensor]
) -> Callable[[tf.Tensor], Outputs]:
    names = [label.encode() for label in labels]

    def answer(image_bytes: tf.Tensor) -> Outputs:
        probabilities = model(decode(image_bytes), training=False)
        best = tf.argmax(probabilities, axis=-1)
        return {
            "probabilities": probabilities,
            "label": tf.gather(tf.constant(names), best),
            "score": tf.reduce_max(probabilities, axis=-1),
        }

    return answer


def _feature(examples: tf.Tensor, name: str) -> tf.Tensor:
    """One string feature of serialized Examples, string [n]; the others are not copied."""
    return tf.io.parse_example(examples, {name: tf.io.FixedLenFeature([], tf.string)})[name]
