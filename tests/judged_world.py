"""Digits as examples, models of them, and what TFMA says of these, for the tests of the Judge."""

import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from PIL import Image
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from tfx.components.evaluator.executor import Executor as EvaluatorExecutor
from tfx.types import Artifact, standard_artifacts
from tfx.utils import proto_utils

from components.evaluation.eval_config import eval_config
from components.evaluation.evaluation_settings import EvaluationSettings
from models.data import example_schema
from pipeline.beam.beam_settings import BeamSettings

CLASSES = tuple(f"digit {number}" for number in range(10))
SETTINGS = EvaluationSettings(min_accuracy=0.8, slices=("site",), shortcuts="ignore")


class World:
    """Digits as examples, and models of them that were fitted to more or fewer images."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        digits = load_digits()
        order = np.random.default_rng(0).permutation(len(digits.target))
        self.pixels, self.target = digits.images[order] / 16, digits.target[order]
        self.examples = standard_artifacts.Examples()
        self.examples.uri = str(folder / "examples")
        self.examples.split_names = '["test"]'
        self.write_examples(range(150))
        self.good = self.model("good", 1, range(300, 1700))
        self.weak = self.model("weak", 2, range(300, 360))

    def write_examples(self, rows: Iterable[int]) -> None:
        directory = Path(self.examples.uri) / "Split-test"
        directory.mkdir(parents=True)
        with tf.io.TFRecordWriter(str(directory / "data-00000-of-00001")) as writer:
            for row in rows:
                label = CLASSES[self.target[row]] if row else "a class of its own"
                writer.write(example(self.pixels[row], label, f"{row}.png"))

    def model(
        self,
        name: str,
        number: int,
        rows: Sequence[int],
        classes: tuple[str, ...] = CLASSES,
        scale: float = 1.0,
    ) -> Artifact:
        pixels = np.round(self.pixels[rows] * 255).reshape(len(rows), 64)
        fitted = LogisticRegression(max_iter=300).fit(pixels / 255, self.target[rows])
        fitted.coef_ *= scale
        artifact = standard_artifacts.Model()
        artifact.uri, artifact.id = str(self.folder / name), number
        _export(fitted, Path(artifact.uri) / "Format-Serving", classes)
        return artifact

    def evaluate(self, model: Artifact) -> Artifact:
        name = f"evaluation-{model.id}"
        evaluation, blessing = outputs(self.folder / name)
        context = EvaluatorExecutor.Context(
            BeamSettings().arguments, str(self.folder / "tmp"), name
        )
        inputs = {"examples": [self.examples], "model": [model]}
        config = proto_utils.proto_to_json(eval_config(SETTINGS))
        EvaluatorExecutor(context).Do(
            inputs,
            {"evaluation": [evaluation], "blessing": [blessing]},
            {"eval_config": config, "example_splits": '["test"]'},
        )
        return evaluation


def outputs(folder: Path) -> tuple[Artifact, Artifact]:
    """An evaluation and a blessing in a folder."""
    evaluation, blessing = standard_artifacts.ModelEvaluation(), standard_artifacts.ModelBlessing()
    evaluation.uri, blessing.uri = str(folder / "evaluation"), str(folder / "blessing")
    return evaluation, blessing


def example(pixels: NDArray[Any], label: str, name: str, sha256: str = "") -> bytes:
    """A `tf.Example` as ingest writes it; the brighter half of the images are from the north."""
    buffer = io.BytesIO()
    Image.fromarray(np.round(pixels * 255).astype(np.uint8)).save(buffer, "PNG")

    def text(value: bytes) -> Any:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))

    def integer(value: int) -> Any:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    def real(value: float) -> Any:
        return tf.train.Feature(float_list=tf.train.FloatList(value=[value]))

    feature = {
        example_schema.IMAGE: text(buffer.getvalue()),
        example_schema.LABEL: text(label.encode()),
        example_schema.NAME: text(name.encode()),
        example_schema.SHA256: text((sha256 or name).encode()),
        example_schema.FORMAT: text(b"png"),
        example_schema.WIDTH: integer(8),
        example_schema.HEIGHT: integer(8),
        example_schema.CHANNELS: integer(1),
        example_schema.BYTE_SIZE: integer(len(buffer.getvalue())),
        example_schema.BRIGHTNESS_MEAN: real(float(pixels.mean())),
        example_schema.BRIGHTNESS_STD: real(float(pixels.std())),
        example_schema.SHARPNESS: real(float(np.abs(np.diff(pixels)).mean())),
    }
    site = "north" if pixels.sum() > 20 else "south"
    feature[example_schema.slice_feature("site")] = text(site.encode())
    whole = tf.train.Example(features=tf.train.Features(feature=feature))
    return bytes(whole.SerializeToString())


def _export(fitted: LogisticRegression, directory: Path, classes: tuple[str, ...]) -> None:
    layer = keras.layers.Dense(10, activation="softmax")
    model = keras.Sequential([keras.Input((64,)), layer])
    layer.set_weights([fitted.coef_.T, fitted.intercept_])
    strings = tf.TensorSpec([None], tf.string)
    spec = {
        key: tf.io.FixedLenFeature([], tf.string)
        for key in (example_schema.IMAGE, example_schema.LABEL)
    }

    def answer(images: Any) -> dict[str, Any]:
        decoded = tf.map_fn(
            lambda each: tf.reshape(tf.io.decode_png(each, channels=1), [64]),
            images,
            fn_output_signature=tf.uint8,
        )
        return {"probabilities": model(tf.cast(decoded, tf.float32) / 255)}

    def evaluate(examples: Any) -> dict[str, Any]:
        return answer(tf.io.parse_example(examples, spec)[example_schema.IMAGE])

    def label_ids(examples: Any) -> dict[str, Any]:
        labels = tf.io.parse_example(examples, spec)[example_schema.LABEL]
        same = tf.cast(labels[:, None] == tf.constant(classes)[None], tf.int64)
        known = tf.reduce_sum(same, axis=1)
        return {"label_id": tf.argmax(same, axis=1) * known + known - 1}

    archive = keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serving_default", answer, [tf.TensorSpec([None], tf.string, "image_bytes")]
    )
    archive.add_endpoint("evaluate", evaluate, [strings])
    archive.add_endpoint("transform_labels", label_ids, [strings])
    archive.write_out(str(directory), verbose=False)
    (directory / "assets.extra").mkdir()
    described = {"labels": classes, "image_size": 8}
    (directory / "assets.extra" / "graft.json").write_text(json.dumps(described))
