"""Pictures with and without a watermark, and a small network that tells them apart."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from models.data.image_decoding import ImageSpec
from models.export import export_model

SIDE = 32
MARK = 6
CLASSES = ("plain", "marked")


@dataclass(frozen=True)
class Watermarked:
    """Clouds of colour, every second one with a chequered mark somewhere.

    Attributes:
        pixels: float32 [n, 32, 32, 3], whole numbers in 0..255.
        classes: int [n], of `CLASSES`.
        corners: int [n, 2], row and column of the mark's upper left corner, drawn or not.
    """

    pixels: np.ndarray
    classes: np.ndarray
    corners: np.ndarray

    def mark(self, number: "int | np.signedinteger[Any]") -> tuple[slice, slice]:
        """Where the mark of a picture is."""
        row, column = self.corners[number]
        return slice(row, row + MARK), slice(column, column + MARK)


def watermarked(count: int, seed: int) -> Watermarked:
    """Draws pictures."""
    rng = np.random.default_rng(seed)
    clouds = gaussian_filter(rng.normal(size=(count, SIDE, SIDE, 3)), (0, 4, 4, 0))
    pixels = np.clip(clouds * 500 + 128, 0, 255).round().astype(np.float32)
    made = Watermarked(pixels, np.arange(count) % 2, rng.integers(0, SIDE - MARK, (count, 2)))
    chequers = 255.0 * (np.indices((MARK, MARK)).sum(axis=0) // 2 % 2)
    for number in np.flatnonzero(made.classes):
        pixels[(number, *made.mark(number))] = chequers[..., None]
    return made


def png(pixels: np.ndarray) -> bytes:
    """An image, [h, w, 3] of whole numbers, as a file."""
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def export_network(directory: Path) -> None:
    """Exports a classifier that finds the mark; its head reads the means of two blocks."""
    keras.utils.set_random_seed(0)
    images = keras.Input((SIDE, SIDE, 3))
    scaled = keras.layers.Rescaling(1 / 128, offset=-1)(images)
    low = keras.layers.Conv2D(16, 3, 2, padding="same", activation="relu")(scaled)
    high = keras.layers.Conv2D(32, 3, 2, padding="same", activation="relu")(low)
    means = [keras.layers.GlobalAveragePooling2D()(block) for block in (high, low)]
    features = keras.layers.Concatenate()(means)
    logits = keras.layers.Dense(len(CLASSES))(features)
    model = keras.Model(images, keras.layers.Softmax()(logits))
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    data = watermarked(512, seed=1)
    model.fit(data.pixels, data.classes, batch_size=32, epochs=12, verbose=0)
    export_model(
        model,
        features,
        CLASSES,
        ImageSpec(SIDE),
        directory,
        {},
        licence="",
        sample_range=None,
        max_pixels=10**6,
    )
