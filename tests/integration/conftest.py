"""A small real model with the signature of Graft's exports, and a REST server with small limits."""

import io
import json
import shutil
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from serving_requests import SMALL_LIMITS, server_settings

from serving.limits import Limits
from serving.rest_api.options import RestOptions
from serving.rest_api.server import RestServer
from serving.server.model_server import ModelServer

LABELS = ("dark", "naïve", "red")
SIDE = 8


@pytest.fixture
def digits(digits_folder: Path, tmp_path: Path) -> Path:
    """A copy of the digits that a test may change."""
    return Path(shutil.copytree(digits_folder, tmp_path / "digits"))


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


@pytest.fixture(scope="module")
def server(
    small_models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ModelServer]:
    """A server with small limits."""
    base_path = tmp_path_factory.mktemp("base")
    shutil.copytree(small_models[0], base_path / "7")
    settings = replace(server_settings(base_path), limits=SMALL_LIMITS, rest=RestOptions(cors=True))
    with ModelServer(settings) as running:
        yield running


@pytest.fixture
def port(server: ModelServer) -> int:
    assert server.rest_port is not None
    return server.rest_port


@pytest.fixture
def another(server: ModelServer) -> Iterator[Callable[..., RestServer]]:
    """Starts more servers of the same models."""
    with ExitStack() as stack:

        def start(limits: Limits = SMALL_LIMITS, *more: Any) -> RestServer:
            address = ("127.0.0.1", 0)
            rest = RestServer(server.registry, server._runner, limits, address, *more)
            stack.callback(rest.drain, 30)
            rest.start()
            return rest

        yield start


@pytest.fixture
def body(pictures: list[bytes]) -> bytes:
    return json.dumps({"instances": [{"b64": b64encode(pictures[0]).decode()}]}).encode()
