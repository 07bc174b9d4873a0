"""The files that travel with an exported model in `assets.extra`."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow_serving.apis import prediction_log_pb2

from models.data import example_schema
from models.export.explanation import LIKELIEST
from models.storage.atomic_write import write_atomically

FOLDER: Final = "assets.extra"
LABELS_FILE: Final = "labels.txt"
"""That of a further column is called `labels.COLUMN.txt`."""
LICENCE_FILE: Final = "WEIGHTS_LICENSE.txt"
WARM_UP_FILE: Final = "tf_serving_warmup_requests"
"""The name that TensorFlow Serving looks for."""
_WARM_BATCHES: Final = (1, 8, 32)


def write_labels(directory: Path, labels: tuple[str, ...], column: str = "") -> None:
    """Writes the class names in the order of the outputs, one a line.

    A line break or backslash in a name is written as Python writes it; `graft.json` has the names
    as they are.

    Args:
        directory: of the exported model.
        labels: class names.
        column: further label column that they are of; empty for the first one.
    """
    lines = (
        label.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n") for label in labels
    )
    name = LABELS_FILE.replace(".", f".{column}.") if column else LABELS_FILE
    _write(directory, name, "".join(f"{line}\n" for line in lines).encode())


def write_licence(directory: Path, text: str) -> None:
    """Writes under what licence the weights came that the model was trained from."""
    _write(directory, LICENCE_FILE, text.encode())


def write_warm_up(directory: Path, size: int, explains: bool) -> None:
    """Writes requests with which a server warms up before it takes any other.

    The images are made, not taken from anyone's data: JPEGs of the model's size, and one PNG with
    alpha, so that the decoders of other kinds are warm too.

    Args:
        directory: of the exported model.
        size: pixels of a side.
        explains: whether the model says where it saw its answer.
    """
    jpeg = tf.io.encode_jpeg(_picture(size, 3)).numpy()
    example = tf.train.Example()
    example.features.feature[example_schema.IMAGE].bytes_list.value.append(jpeg)
    png = tf.io.encode_png(_picture(size, 4)).numpy()
    requests: list[tuple[str, dict[str, Any]]] = [
        *(("serving_default", {"image_bytes": [jpeg] * images}) for images in _WARM_BATCHES),
        ("serving_default", {"image_bytes": [png]}),
        ("serving_examples", {"examples": [example.SerializeToString()]}),
        ("monitored", {"image_bytes": [jpeg]}),
    ]
    if explains:
        likeliest = np.array([LIKELIEST], np.int64)
        requests.append(("explained", {"image_bytes": [jpeg], "class_id": likeliest}))
    path = directory / FOLDER / WARM_UP_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests:
            log = prediction_log_pb2.PredictionLog()
            request = log.predict_log.request
            request.model_spec.signature_name = signature
            for name, values in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
            writer.write(log.SerializeToString())


def _picture(size: int, channels: int) -> NDArray[np.uint8]:
    ramp = np.linspace(0, 255, size, dtype=np.uint8)
    across, down = np.broadcast_to(ramp, (size, size)), np.broadcast_to(ramp[:, None], (size, size))
    return np.stack([across, down, 255 - across, down][:channels], axis=-1)


def _write(directory: Path, name: str, content: bytes) -> None:
    path = directory / FOLDER / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content)
