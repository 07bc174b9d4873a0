"""A small real model with the signature of Graft's exports, for the tests of serving and push."""

import io
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

LABELS = ("dark", "naïve", "red")
SIDE = 8


def png(colour: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (20, 10), colour).save(buffer, "PNG")
    return buffer.getvalue()


def export_small_model(directory: Path, seed: int) -> None:
    """Exports a linear classifier of the mean colour with random weights."""
    keras.utils.set_random_seed(seed)
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            keras.layers.Rescaling(1 / 255),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(len(LABELS)),
        ]
    )

    def decode(encoded: tf.Tensor) -> tf.Tensor:
        image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
        return tf.image.resize(tf.cast(image, tf.float32), [SIDE, SIDE])

    def serve(image_bytes: tf.Tensor) -> dict[str, tf.Tensor]:
        spec = tf.TensorSpec([SIDE, SIDE, 3], tf.float32)
        images = tf.map_fn(decode, image_bytes, fn_output_signature=spec)
        probabilities = tf.nn.softmax(model(images))
        best = tf.math.top_k(probabilities, len(LABELS)).indices
        return {
            "probabilities": probabilities,
            "class_ids": tf.cast(best, tf.int64),
            "labels": tf.gather(tf.constant(LABELS), best),
        }

    archive = keras.export.ExportArchive()
    archive.track(model)
    signature = [tf.TensorSpec([None], tf.string, name="image_bytes")]
    archive.add_endpoint("serving_default", serve, input_signature=signature)
    archive.write_out(str(directory), verbose=False)


@pytest.fixture(scope="session")
def small_models(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two exports that answer differently."""
    folder = tmp_path_factory.mktemp("models")
    for seed in (1, 2):
        export_small_model(folder / str(seed), seed)
    return folder / "1", folder / "2"


@pytest.fixture(scope="session")
def pictures() -> list[bytes]:
    """Three pictures of one colour each."""
    return [png(colour) for colour in ((10, 10, 10), (120, 200, 90), (250, 20, 30))]


@pytest.fixture(scope="session")
def answer_of() -> Callable[[Path, list[bytes]], np.ndarray]:
    """What a SavedModel answers when it is run without a server: probabilities [n, classes]."""

    def answer(directory: Path, images: list[bytes]) -> np.ndarray:
        serve = tf.saved_model.load(str(directory)).signatures["serving_default"]
        return serve(image_bytes=tf.constant(images))["probabilities"].numpy()

    return answer
