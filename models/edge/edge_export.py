"""From a trained classifier to its LiteRT models, each measured against the served one."""

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from models.data import example_schema
from models.data.example_reader import read_records
from models.data.image_decoding import ImageSpec, decode_and_resize
from models.data.sample_depth import SampleRange
from models.edge.calibration import calibration_images
from models.edge.comparison import EdgeFigures, compare
from models.edge.litert import INPUT, OUTPUT, LiteRtModel, convert
from models.edge.package import packed
from models.errors import GraftError
from models.metrics import class_indices

FLOAT: Final = "float32"
INT8: Final = "int8"
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
        sample_range: black and white of deep images, as the model was trained with.
        served: what the served model answers to the test split, float32 [n, k].
        truth: class names of the test split, n.
    """

    model: keras.Model
    examples_uri: str
    labels: tuple[str, ...]
    spec: ImageSpec
    sample_range: SampleRange | None
    served: NDArray[np.float32]
    truth: list[str]


@dataclass(frozen=True)
class EdgeModel:
    """One LiteRT model.

    Attributes:
        name: "float32" or "int8".
        content: of its file: the model, with labels and description behind it.
        figures: on the test split.
        calibrated_on: number of images; 0 for float32.
    """

    name: str
    content: bytes
    figures: EdgeFigures
    calibrated_on: int


def export_edge(
    source: EdgeSource, description: dict[str, Any], calibrate_on: int
) -> list[EdgeModel]:
    """Makes the float32 and the int8 model, and asks both about the test split.

    Args:
        source: the trained model and its data.
        description: values to travel with each model, beside how it takes an image.
        calibrate_on: most training images to calibrate int8 with.

    Raises:
        GraftError: LiteRT cannot express the model, or expresses another one; a split is empty.
    """
    calibration = calibration_images(
        source.examples_uri, source.spec, source.sample_range, calibrate_on
    )
    contents = {FLOAT: convert(source.model), INT8: convert(source.model, calibration)}
    figures = compare(
        {name: LiteRtModel(content) for name, content in contents.items()},
        _test_images(source),
        class_indices(source.truth, source.labels),
        source.served,
    )
    difference = figures[FLOAT].largest_difference
    if not difference <= _TOLERANCE:
        raise GraftError(
            f"The float32 model is not the served one: a probability differs by {difference:.3g}, "
            f"where at most {_TOLERANCE:g} is rounding. No file was written."
        )
    return [
        EdgeModel(
            name,
            packed(content, source.labels, {**description, **_usage(source.spec, name)}),
            figures[name],
            len(calibration) if name == INT8 else 0,
        )
        for name, content in contents.items()
    ]


def _test_images(source: EdgeSource) -> Iterator[NDArray[np.float32]]:
    for record in read_records(source.examples_uri, example_schema.TEST):
        encoded = tf.constant(record.image)
        yield decode_and_resize(encoded, source.spec, source.sample_range).numpy()


def _usage(spec: ImageSpec, name: str) -> dict[str, Any]:
    """How a caller prepares an image; the order of the labels is that of the output."""
    dtype = "uint8" if name == INT8 else "float32"
    return {
        "precision": name,
        "input": {
            "name": INPUT,
            "shape": [1, spec.size, spec.size, 3],
            "dtype": dtype,
            "values": "RGB, 0 to 255",
            "resize": spec.resize,
            "filter": "bilinear, antialiased",
        },
        "output": {"name": OUTPUT, "dtype": "float32"},
    }


def figures_as_values(model: EdgeModel) -> dict[str, Any]:
    """The figures of a model for JSON."""
    return {
        "bytes": len(model.content),
        "calibration_images": model.calibrated_on,
        **dataclasses.asdict(model.figures),
    }
