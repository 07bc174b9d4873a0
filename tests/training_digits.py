"""A small training on scikit-learn's digits; run as a program, it can be killed.

    python tests/training_digits.py DIGITS FOLDER EPOCH BACKBONE

trains in FOLDER and kills itself when EPOCH has ended.
"""

import hashlib
import os
import signal
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from labelled_examples import record_of

from models import progress
from models.backbones import Backbone, build_backbone
from models.data import example_schema
from models.data.image_decoding import ImageSpec, decode_and_resize
from models.embedding.forward import Embedder
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.training import training_state
from models.training.train import Trained, train
from models.training.training_settings import TrainingSettings
from models.training.training_task import TrainingTask

LABELS = tuple(str(digit) for digit in range(10))
SIZE = 64
_EMBEDDED: dict[tuple[object, ...], HeadTask] = {}


def pixels(digits_folder: Path, split: str = "test") -> np.ndarray:
    """Images of a split as a model takes them, float32 [n, SIZE, SIZE, 3]."""
    images = [tf.constant(path.read_bytes()) for path in digit_paths(digits_folder)[split]]
    return np.stack([decode_and_resize(image, ImageSpec(SIZE)) for image in images])


def answers_of(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """What a model answers, without the seconds that `predict` takes to trace its graph."""
    return np.asarray(model(images, training=False))


def parity(path: Path) -> str:
    """Whether a digit is even or odd; it is not said of every fifth, nor of one in letters."""
    if int(path.stem) % 5 == 0 or not path.parent.name.isdigit():
        return ""
    return "odd" if int(path.parent.name) % 2 else "even"


def write_split(uri: Path, split: str, paths: list[Path]) -> None:
    """Writes PNGs, labelled by their folder and in the column `parity`, as tf.Examples."""
    folder = uri / f"Split-{split}"
    folder.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(folder / "data-00000-of-00001")) as writer:
        for path in paths:
            image = path.read_bytes()
            values = {
                example_schema.IMAGE: image,
                example_schema.LABEL: path.parent.name.encode(),
                example_schema.NAME: f"{path.parent.name}/{path.name}".encode(),
                example_schema.SHA256: hashlib.sha256(image).hexdigest().encode(),
                example_schema.slice_feature("parity"): parity(path).encode(),
            }
            writer.write(record_of(values))


def digit_paths(digits: Path) -> dict[str, list[Path]]:
    """120 images to train on, 40 to validate on, 40 to test."""
    paths = sorted(digits.glob("*/*.png"))
    fold = [number % 5 for number in range(len(paths))]
    of = {"train": (0, 1, 2), "validation": (3,), "test": (4,)}
    return {
        split: [path for path, number in zip(paths, fold, strict=True) if number in folds]
        for split, folds in of.items()
    }


def tiny_backbone() -> Backbone:
    """Eight layers of random weights."""
    keras.utils.set_random_seed(0)
    inputs = keras.Input((SIZE, SIZE, 3))
    features = keras.layers.Rescaling(1 / 127.5, offset=-1.0)(inputs)
    for number in range(8):
        features = keras.layers.Conv2D(
            16, 3, strides=2 if number < 3 else 1, padding="same", activation="relu"
        )(features)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(features))
    return Backbone("tiny", model, model, (), SIZE, 16, "0" * 64)


def digits_task(
    digits: Path, folder: Path, backbone: Backbone | None = None, **settings: Any
) -> TrainingTask:
    """The task on the digits in `folder`; keyword arguments are training settings."""
    paths = digit_paths(digits)
    for split, images in paths.items():
        write_split(folder / "examples", split, images)
    backbone = backbone or named_backbone("EfficientNetLite0")
    return TrainingTask(
        examples_uri=str(folder / "examples"),
        labels=LABELS,
        spec=ImageSpec(SIZE),
        backbone=backbone,
        embeddings=_embedded(backbone, paths),
        settings=TrainingSettings(
            **{
                "strategy": "fine_tune",
                "epochs": 3,
                "batch_size": 8,
                "learning_rate": 1e-4,
                "label_smoothing": 0.05,
                **settings,
            }
        ),
        seed=1,
        scratch=folder / "scratch",
        log_dir=folder / "logs",
    )


def _embedded(backbone: Backbone, paths: dict[str, list[Path]]) -> HeadTask:
    """Of both splits, once for a backbone and its images: tracing it takes seconds."""
    images = {split: [path.read_bytes() for path in paths[split]] for split in paths}
    key = (backbone.weights_digest, *images["train"], *images["validation"])
    if key not in _EMBEDDED:
        embedder = Embedder(backbone, ImageSpec(SIZE))
        train, validation = (
            LabelledEmbeddings(
                embedder.embed(images[split]),
                np.array([int(path.parent.name) for path in paths[split]]),
            )
            for split in ("train", "validation")
        )
        _EMBEDDED[key] = HeadTask(train, validation, 10)
    return _EMBEDDED[key]


def named_backbone(name: str) -> Backbone:
    """The tiny one, or one of Graft's with the weights of ImageNet."""
    return tiny_backbone() if name == "tiny" else build_backbone(name, "imagenet", SIZE)


def main(digits: str, folder: str, last: str, backbone: str) -> Trained:
    def tell(state: progress.Progress) -> None:
        if state.unit == "epochs" and state.done == int(last):
            os.kill(os.getpid(), signal.SIGKILL)

    training_state.SAVE_SECONDS = 0.0
    with progress.listening(tell):
        return train(digits_task(Path(digits), Path(folder), named_backbone(backbone)))


if __name__ == "__main__":
    main(*sys.argv[1:])
