"""From a trained classifier to models for other engines, each measured against the served one."""

import dataclasses
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.data import example_schema
from models.data.example_reader import read_records
from models.data.image_decoding import ImageSpec, decode_and_resize
from models.edge import litert, onnx_model
from models.edge.calibration import calibration_images
from models.edge.comparison import EdgeFigures, compare
from models.edge.contract import FLOAT, INPUT, INT8, OUTPUT, Runner
from models.edge.package import packed
from models.errors import GraftError
from models.metrics import class_indices

_TOLERANCE: Final = 1e-3
"""Most that a probability of the float32 model may differ; what differs more is another model."""


@dataclass(frozen=True)
class EdgeSource:
    """What an export is made from.

    Attributes:
        model: from float32 [n, s, s, 3], RGB in 0..255, to probabilities [n, k].
        examples_uri: directory of the Examples artifact that it was trained on.
        labels: class names in the order of the outputs.
        spec: how an image becomes the model's square.
        served: what the served model answers to the test split, float32 [n, k].
        truth: class names of the test split, n.
    """

    model: keras.Model
    examples_uri: str
    labels: tuple[str, ...]
    spec: ImageSpec
    served: NDArray[np.float32]
    truth: list[str]


@dataclass(frozen=True)
class EdgeModel:
    """One exported model.

    Attributes:
        precision: "float32" or "int8".
        file: its name.
        content: of the file: the model, with its labels and description.
        figures: on the test split.
        calibrated_on: number of images; 0 for float32.
    """

    precision: str
    file: str
    content: bytes
    figures: EdgeFigures
    calibrated_on: int = 0

    def to_values(self) -> dict[str, Any]:
        """What is known of it, for JSON."""
        return {
            "file": self.file,
            "bytes": len(self.content),
            "calibration_images": self.calibrated_on,
            **dataclasses.asdict(self.figures),
        }


def export_litert(
    source: EdgeSource, description: dict[str, Any], calibrate_on: int
) -> list[EdgeModel]:
    """Makes a LiteRT model in float32 and one in int8, and asks both about the test split.

    Args:
        source: the trained model and its data.
        description: values to travel with each model, beside how it takes an image.
        calibrate_on: most training images to calibrate int8 with.

    Raises:
        GraftError: LiteRT cannot express the model, or expresses another one; a split is empty.
    """
    calibration = calibration_images(source.examples_uri, source.spec, calibrate_on)
    contents = {
        FLOAT: litert.convert(source.model),
        INT8: litert.convert(source.model, calibration),
    }
    runners = {name: litert.LiteRtModel(content) for name, content in contents.items()}
    figures = _compared(source, runners)
    return [
        EdgeModel(
            name,
            f"model-{name}.tflite",
            packed(content, source.labels, {**description, **_usage(source.spec, name, 1)}),
            figures[name],
            len(calibration) if name == INT8 else 0,
        )
        for name, content in contents.items()
    ]


def export_onnx(source: EdgeSource, description: dict[str, Any]) -> list[EdgeModel]:
    """Makes an ONNX model in float32, and asks it about the test split.

    Args:
        source: the trained model and its data.
        description: values to travel with the model, beside how it takes an image.

    Raises:
        GraftError: ONNX cannot express the model, or expresses another one; the test split is
            empty.
    """
    content = onnx_model.convert(source.model)
    figures = _compared(source, {FLOAT: onnx_model.OnnxModel(content)})
    about = {**description, **_usage(source.spec, FLOAT, None)}
    content = onnx_model.described(content, source.labels, about)
    return [EdgeModel(FLOAT, "model-float32.onnx", content, figures[FLOAT])]


def _compared(source: EdgeSource, runners: Mapping[str, Runner]) -> dict[str, EdgeFigures]:
    truth = class_indices(source.truth, source.labels)
    figures = compare(runners, _test_images(source), truth, source.served)
    difference = figures[FLOAT].largest_difference
    if not difference <= _TOLERANCE:
        raise GraftError(
            f"The float32 model is not the served one: a probability differs by {difference:.3g}, "
            f"where at most {_TOLERANCE:g} is rounding. No file was written."
        )
    return figures


def _test_images(source: EdgeSource) -> Iterator[NDArray[np.float32]]:
    for record in read_records(source.examples_uri, example_schema.TEST):
        encoded = tf.constant(record.image)
        yield decode_and_resize(encoded, source.spec).numpy()


def _usage(spec: ImageSpec, precision: str, batch: int | None) -> dict[str, Any]:
    """How a caller prepares an image; the order of the labels is that of the output."""
    return {
        "precision": precision,
        "input": {
            "name": INPUT,
            "shape": [batch, spec.size, spec.size, 3],
            "dtype": "uint8" if precision == INT8 else "float32",
            "values": "RGB, 0 to 255",
            "resize": spec.resize,
            "filter": "bilinear, antialiased",
        },
        "output": {"name": OUTPUT, "dtype": "float32"},
    }
