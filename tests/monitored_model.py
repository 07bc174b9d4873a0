"""A small model as Graft exports one, with the reference of a push, for the tests of the log."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from small_reference import LABELS, WIDTH, small_reference

from models.data.image_decoding import ImageSpec
from models.export.export import export_model
from models.observation.reference import REFERENCE, Reference, write_reference

SIDE = 8


def export_monitored(directory: Path, seed: int = 1, **description: Any) -> None:
    """Exports a classifier of the mean colour with random weights, without a reference."""
    keras.utils.set_random_seed(seed)
    inputs = keras.Input((SIDE, SIDE, 3))
    scaled = keras.layers.Rescaling(1 / 255)(inputs)
    pooled = keras.layers.GlobalAveragePooling2D()(scaled)
    embedding = keras.layers.Dense(WIDTH, activation="tanh")(pooled)
    outputs = keras.layers.Dense(len(LABELS), activation="softmax")(embedding)
    export_model(
        keras.Model(inputs, outputs),
        embedding,
        LABELS,
        ImageSpec(SIDE),
        directory,
        {"model_digest": "d" * 64, **description},
        licence="",
        sample_range=None,
        max_pixels=10**6,
    )


def add_reference(directory: Path) -> Reference:
    """Puts the reference where a push puts it."""
    reference = small_reference()
    write_reference(directory / "assets.extra" / REFERENCE, reference)
    return reference


def monitored_answers(directory: Path, images: list[bytes]) -> dict[str, np.ndarray]:
    """What the exported signature says without a server."""
    run = tf.saved_model.load(str(directory)).signatures["monitored"]
    return {name: value.numpy() for name, value in run(image_bytes=tf.constant(images)).items()}
