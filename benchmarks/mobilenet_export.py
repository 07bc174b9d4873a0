"""A model of MobileNetV2's size with random weights, for the benchmarks of serving."""

from pathlib import Path
from typing import Final

import keras

from models.data.image_decoding import ImageSpec
from models.export import export_model

SIZE: Final = 96
_CLASSES: Final = 10


def export_mobilenet(directory: Path) -> None:
    """Exports it as the Trainer does; in a process of its own, so that Keras does not stay."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((SIZE, SIZE, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(inputs)
    backbone = keras.applications.MobileNetV2(
        input_shape=(SIZE, SIZE, 3), include_top=False, weights=None, pooling="avg"
    )
    embedding = backbone(scaled)
    outputs = keras.layers.Dense(_CLASSES, activation="softmax")(embedding)
    model = keras.Model(inputs, outputs)
    labels = tuple(f"class {number}" for number in range(_CLASSES))
    export_model(
        model,
        embedding,
        labels,
        ImageSpec(SIZE),
        directory,
        description={},
        licence="",
        sample_range=None,
        max_pixels=10**8,
    )
