"""A model of MobileNetV2's size with random weights, for the benchmarks of serving."""

from pathlib import Path
from typing import Final

import keras
import numpy as np

from models.data.image_decoding import ImageSpec
from models.export import export_model
from models.observation.reference import REFERENCE, Reference, write_reference

SIZE: Final = 96
_LABELS: Final = tuple(f"class {number}" for number in range(10))
_WIDTH: Final = 1280
_COMPONENTS: Final = 64


def export_mobilenet(directory: Path) -> None:
    """Exports it as the Trainer does; in a process of its own, so that Keras does not stay."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((SIZE, SIZE, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    backbone = keras.applications.MobileNetV2(
        input_shape=(SIZE, SIZE, 3), include_top=False, weights=None, pooling="avg"
    )
    embedding = backbone(scaled)
    outputs = keras.layers.Dense(len(_LABELS), activation="softmax")(embedding)
    model = keras.Model(inputs, outputs)
    export_model(
        model,
        embedding,
        _LABELS,
        ImageSpec(SIZE),
        directory,
        description={},
        licence="",
        sample_range=None,
        max_pixels=10**8,
    )


def add_reference(directory: Path) -> None:
    """Has a server log every answer whole, with the projection of its embedding."""
    rng = np.random.default_rng(0)
    few = np.zeros((1, _COMPONENTS), np.float16)
    reference = Reference(
        classes=_LABELS,
        model_digest="",
        temperature=1.5,
        centre=rng.random(_WIDTH, np.float32),
        directions=rng.random((_WIDTH, _COMPONENTS), np.float32),
        anchors=few,
        anchor_labels=np.zeros(1, np.int32),
        projections=few,
        probabilities=np.full((1, len(_LABELS)), 1 / len(_LABELS), np.float16),
        signals=np.zeros((1, 5), np.float32),
        labels=np.zeros(1, np.int32),
        digests=("0" * 64,),
        names=("a",),
    )
    write_reference(directory / "assets.extra" / REFERENCE, reference)
