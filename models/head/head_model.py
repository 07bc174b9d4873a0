"""The classification head: what is trained on top of a backbone's features."""

from pathlib import Path
from typing import Any, Final

import keras
import numpy as np

from models.row_blocks import mean_and_variance, row_blocks

FloatArray = np.ndarray[Any, np.dtype[np.float32]]

HEAD: Final = "head"
"""Name of a head, also as a layer of the classifier that it is part of."""

_VARIANCE_FLOOR = 0.1
"""Share of the average variance that every feature is credited with. A feature that hardly varies
in training must not be blown up: every change below it would be, too, while the backbone is
fine-tuned. On flat grey images a floor of 0.001 cost ten points in the second epoch, 0.1 none."""


@keras.saving.register_keras_serializable(package="graft")
class Standardisation(keras.layers.Layer):
    """Brings each feature to mean 0 and variance 1 with statistics of the training embeddings.

    Learning rates then mean the same for every backbone and data set, which is what lets one
    search learn from another. The statistics are weights that no training moves.
    """

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Creates mean 0 and variance 1, [d]; `set_statistics` gives the real ones."""
        shape = (input_shape[-1],)
        self.mean = self.add_weight(name="mean", shape=shape, initializer="zeros", trainable=False)
        self.variance = self.add_weight(
            name="variance", shape=shape, initializer="ones", trainable=False
        )
        self.built = True

    def set_statistics(self, mean: FloatArray, variance: FloatArray) -> None:
        """Takes the statistics of the training embeddings.

        Args:
            mean: float32 [d].
            variance: float32 [d].
        """
        self.mean.assign(mean)
        self.variance.assign(variance)

    def call(self, inputs: Any) -> Any:
        """Standardises features [n, d]."""
        floor = _VARIANCE_FLOOR * keras.ops.mean(self.variance)
        return (inputs - self.mean) * keras.ops.rsqrt(self.variance + floor + 1e-12)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """The shape of the input."""
        return input_shape


def statistics(embeddings: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Mean and variance of each feature, for `build_head`.

    Args:
        embeddings: float32 [n, d], of the training split, n at least 1.

    Returns:
        mean and variance, float32 [d].
    """
    mean, variance = mean_and_variance(embeddings)
    return mean.astype(np.float32), variance.astype(np.float32)


def standardised(embeddings: FloatArray, mean: FloatArray, variance: FloatArray) -> FloatArray:
    """What a head's first layer makes of embeddings.

    Args:
        embeddings: float32 [n, d].
        mean: float32 [d] from `statistics`.
        variance: float32 [d] from `statistics`.

    Returns:
        float32 [n, d].
    """
    layer = Standardisation(dtype="float32")
    layer.build((None, len(mean)))
    layer.set_statistics(mean, variance)
    result = np.empty(embeddings.shape, np.float32)
    for rows, block in zip(row_blocks(result), row_blocks(embeddings), strict=True):
        rows[:] = keras.ops.convert_to_numpy(layer(block))
    return result


def build_head(
    dimension: int,
    classes: int,
    *,
    mean: FloatArray | None = None,
    variance: FloatArray | None = None,
    unit_length: bool = False,
) -> keras.Model:
    """Builds standardisation and a layer of logits, whose weights are zero.

    Args:
        dimension: features of the backbone, d.
        classes: number of classes, k.
        mean: float32 [d] from `statistics`; None leaves features as they are.
        variance: float32 [d] from `statistics`.
        unit_length: whether standardised features are brought to length 1.

    Returns:
        Uncompiled model from float32 [n, d] to float32 logits [n, k].
    """
    inputs = keras.Input((dimension,), name="embedding")
    standardisation = Standardisation(name="standardisation", dtype="float32")
    features = standardisation(inputs)
    if unit_length:
        features = keras.layers.UnitNormalization(dtype="float32", name="unit_length")(features)
    # float32 under mixed precision too: softmax over half-precision logits loses calibration.
    logits = keras.layers.Dense(
        classes, kernel_initializer="zeros", dtype="float32", name="logits"
    )(features)
    if mean is not None and variance is not None:
        standardisation.set_statistics(mean, variance)
    return keras.Model(inputs, logits, name=HEAD)


def divide_logits(head: keras.Model, temperature: float) -> None:
    """Makes a head of `build_head` answer with its logits divided by a temperature."""
    layer = head.get_layer("logits")
    layer.set_weights([each / temperature for each in layer.get_weights()])


def read_head(file: Path) -> keras.Model:
    """Reads a head of `build_head` that Keras saved.

    Raises:
        OSError, ValueError: the file is missing or damaged.
    """
    return keras.saving.load_model(file, compile=False)
