"""What travels with an exported model."""

from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import prediction_log_pb2

from models.data.image_decoding import ImageSpec
from models.export.assets import write_labels, write_licence, write_warm_up
from models.export.images import decode_images


def test_class_names_are_one_a_line_in_the_order_of_the_outputs(tmp_path: Path) -> None:
    write_labels(tmp_path, ("ant", "two\nlines", "back\\slash", "naïve"))
    written = (tmp_path / "assets.extra" / "labels.txt").read_text(encoding="utf-8")
    assert written.splitlines() == ["ant", r"two\nlines", r"back\\slash", "naïve"]


def test_the_licence_is_written_as_it_is(tmp_path: Path) -> None:
    write_licence(tmp_path, "Apache\n")
    assert (tmp_path / "assets.extra" / "WEIGHTS_LICENSE.txt").read_text() == "Apache\n"


def test_warm_up_requests_are_those_of_the_signatures(tmp_path: Path) -> None:
    write_warm_up(tmp_path, 40, explains=True)
    path = tmp_path / "assets.extra" / "tf_serving_warmup_requests"
    logs = [
        prediction_log_pb2.PredictionLog.FromString(record)
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    ]
    requests = [log.predict_log.request for log in logs]
    asked = [
        (request.model_spec.signature_name, name, tensor.tensor_shape.dim[0].size)
        for request in requests
        for name, tensor in sorted(request.inputs.items())
    ]
    assert asked == [
        ("serving_default", "image_bytes", 1),
        ("serving_default", "image_bytes", 8),
        ("serving_default", "image_bytes", 32),
        ("serving_default", "image_bytes", 1),
        ("serving_examples", "examples", 1),
        ("monitored", "image_bytes", 1),
        ("explained", "class_id", 1),
        ("explained", "image_bytes", 1),
    ]
    images = [*requests[1].inputs["image_bytes"].string_val]
    images += requests[3].inputs["image_bytes"].string_val
    decoded = decode_images(tf.constant(images), ImageSpec(40), None, 10_000)
    assert decoded.shape == (9, 40, 40, 3)
