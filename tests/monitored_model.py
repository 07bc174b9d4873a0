"""A small model as Graft exports one, with the reference of a push, for the tests of the log."""

from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from models.data.image_decoding import ImageSpec
from models.export.export import export_model
from models.observation.reference import REFERENCE, Reference, write_reference
from models.observation.signal_names import IMAGE_SIGNALS

LABELS = ("dark", "naïve", "red")
SIDE = 8
WIDTH = 6
COMPONENTS = 4
TEMPERATURE = 1.7


def export_monitored(directory: Path, seed: int = 1) -> None:
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
        {"model_digest": "d" * 64},
        licence="",
        sample_range=None,
        max_pixels=10**6,
    )


def small_reference(images: int = 5) -> Reference:
    """A reference of that model, of images that nobody has seen."""
    rng = np.random.default_rng(0)
    return Reference(
        classes=LABELS,
        model_digest="d" * 64,
        temperature=TEMPERATURE,
        centre=rng.random(WIDTH, np.float32),
        directions=rng.random((WIDTH, COMPONENTS), np.float32),
        anchors=rng.random((images, COMPONENTS)).astype(np.float16),
        anchor_labels=np.zeros(images, np.int32),
        projections=rng.random((images, COMPONENTS)).astype(np.float16),
        probabilities=np.full((images, len(LABELS)), 1 / 3, np.float16),
        signals=np.zeros((images, len(IMAGE_SIGNALS)), np.float32),
        labels=np.zeros(images, np.int32),
        digests=tuple(f"{n:064x}" for n in range(images)),
        names=tuple(f"{n}.png" for n in range(images)),
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
