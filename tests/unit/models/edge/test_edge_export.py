"""LiteRT models of a small classifier of colours, asked in LiteRT's interpreter."""

import io
import json
import zipfile
from importlib.util import find_spec
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from labelled_examples import write_examples
from numpy.typing import NDArray
from PIL import Image

from models.data.example_reader import read_records
from models.data.image_decoding import ImageSpec, decode_and_resize
from models.edge import onnx_model
from models.edge.calibration import calibration_images
from models.edge.contract import FLOAT, INT8
from models.edge.edge_export import EdgeModel, EdgeSource, export_litert, export_onnx
from models.edge.litert import LiteRtModel, convert
from models.errors import GraftError, UsageError

_SPEC = ImageSpec(16)
_LABELS = ("blue", "gre\nen", "röd")
_TESTED = 30


def _picture(random: np.random.Generator, label: int) -> bytes:
    """Noise in which one colour is a little stronger."""
    pixels = random.integers(20, 200, (20, 24, 3))
    pixels[..., 2 - label] += 30
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def _classifier() -> keras.Model:
    keras.utils.set_random_seed(1)
    inputs = keras.Input((_SPEC.size, _SPEC.size, 3))
    hidden = keras.layers.Conv2D(8, 3, activation="relu")(keras.layers.Rescaling(1 / 255)(inputs))
    features = keras.layers.GlobalAveragePooling2D()(keras.layers.BatchNormalization()(hidden))
    outputs = keras.layers.Dense(len(_LABELS), activation="softmax")(features)
    model = keras.Model(inputs, outputs)
    # The bias leaves the classes unlike, and the kernel tells the images apart.
    kernel = 8 * np.random.default_rng(3).standard_normal((8, len(_LABELS)))
    model.layers[-1].set_weights([kernel.astype(np.float32), np.array([0.1, 0, -0.1], np.float32)])
    return model


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> EdgeSource:
    folder = tmp_path_factory.mktemp("edge")
    random = np.random.default_rng(2)
    splits = {
        split: [
            (_LABELS[n % 3], f"{split}-{n}.png", _picture(random, n % 3)) for n in range(images)
        ]
        for split, images in (("train", 40), ("test", _TESTED))
    }
    write_examples(folder, splits)
    model = _classifier()
    served = model.predict(_decoded([image for _, _, image in splits["test"]]), verbose=0)
    truth = [label for label, _, _ in splits["test"]]
    return EdgeSource(model, str(folder), _LABELS, _SPEC, served, truth)


@pytest.fixture(scope="module")
def exported(source: EdgeSource) -> dict[str, EdgeModel]:
    made = export_litert(source, {"version": 7}, calibrate_on=25)
    return {each.precision: each for each in made}


def _decoded(images: list[bytes]) -> NDArray[np.float32]:
    return np.stack([decode_and_resize(tf.constant(image), _SPEC) for image in images])


def _answers(content: bytes, images: NDArray[np.float32]) -> NDArray[np.float32]:
    run = tf.lite.Interpreter(model_content=content).get_signature_runner()
    dtype = run.get_input_details()["image"]["dtype"]
    pixels = np.rint(images).astype(dtype) if dtype == np.uint8 else images
    return np.concatenate([run(image=each[None])["probabilities"] for each in pixels])


@pytest.mark.filterwarnings("ignore::UserWarning")  # the interpreter is about to move
def test_a_file_answers_as_its_figures_say(
    source: EdgeSource, exported: dict[str, EdgeModel]
) -> None:
    records = list(read_records(source.examples_uri, "test"))
    images = _decoded([each.image for each in records])
    truth = [_LABELS.index(each.label) for each in records]
    for name in (FLOAT, INT8):
        figures = exported[name].figures
        answers = _answers(exported[name].content, images)
        assert (answers.argmax(axis=1) == truth).mean() == figures.accuracy
        assert np.abs(answers - source.served).max() == figures.largest_difference


def test_float32_is_the_served_model_and_int8_is_near_it(exported: dict[str, EdgeModel]) -> None:
    exact, rough = exported[FLOAT].figures, exported[INT8].figures
    assert exact.largest_difference < 1e-5
    assert exact.agreement == 1.0
    assert (exact.drop.newly_wrong, exact.drop.newly_right) == (0, 0)
    assert 1e-5 < rough.largest_difference < 0.2
    assert rough.agreement > 0.8
    assert rough.accuracy == pytest.approx(exact.accuracy - rough.drop.drop)
    assert exported[INT8].calibrated_on == 25


def test_int8_takes_pixels_as_they_are(exported: dict[str, EdgeModel]) -> None:
    assert LiteRtModel(exported[INT8].content).quantization == (1.0, 0)


def test_each_file_carries_its_classes_and_how_to_use_it(exported: dict[str, EdgeModel]) -> None:
    for name, dtype in ((FLOAT, "float32"), (INT8, "uint8")):
        with zipfile.ZipFile(io.BytesIO(exported[name].content)) as archive:
            described = json.loads(archive.read("graft.json"))
            assert archive.read("labels.txt").decode().splitlines() == ["blue", "gre en", "röd"]
        assert tuple(described["labels"]) == _LABELS
        assert described["version"] == 7
        assert described["input"]["dtype"] == dtype
        assert described["input"]["shape"] == [1, 16, 16, 3]


def test_what_is_not_the_served_model_is_not_exported(source: EdgeSource) -> None:
    wrong = source.served[:, ::-1]
    values = {**vars(source), "served": wrong}
    with pytest.raises(GraftError, match="The float32 model is not the served one"):
        export_litert(EdgeSource(**values), {}, calibrate_on=2)


def test_calibration_is_spread_over_the_training_split(source: EdgeSource) -> None:
    every = calibration_images(source.examples_uri, _SPEC, 100)
    some = calibration_images(source.examples_uri, _SPEC, 14)
    assert (len(every), len(some)) == (40, 14)
    assert some[0].min() == 0
    assert some[0].max() == 255
    np.testing.assert_array_equal(some[1:], every[3::3])


def test_an_empty_split_cannot_calibrate(tmp_path: Path) -> None:
    with pytest.raises(GraftError, match="no training image"):
        calibration_images(str(tmp_path), _SPEC, 5)


def test_a_calibration_that_knows_no_black_is_refused(source: EdgeSource) -> None:
    pale = np.full((4, 16, 16, 3), 200, np.uint8)
    with pytest.raises(GraftError, match="must reach from 0 to 255"):
        convert(source.model, pale)


@pytest.mark.skipif(find_spec("tf2onnx") is None, reason="the extra onnx is not installed")
def test_onnx_is_the_served_model_and_says_how_to_use_it(source: EdgeSource) -> None:
    import onnx
    import onnxruntime

    (made,) = export_onnx(source, {"version": 7})
    assert made.figures.largest_difference < 1e-5
    assert made.figures.agreement == 1.0
    told = {each.key: each.value for each in onnx.load_from_string(made.content).metadata_props}
    assert told["labels.txt"].splitlines() == ["blue", "gre en", "röd"]
    assert json.loads(told["graft.json"])["input"]["shape"] == [None, 16, 16, 3]
    images = np.full((5, 16, 16, 3), 100, np.float32)
    session = onnxruntime.InferenceSession(made.content)
    (answers,) = session.run(["probabilities"], {"image": images})
    np.testing.assert_allclose(answers, source.model.predict(images, verbose=0), atol=1e-5)


def test_without_the_extra_onnx_is_bad_usage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_model, "find_spec", lambda _: None)
    with pytest.raises(UsageError, match=r"needs tf2onnx, onnx, onnxruntime.*graft\[onnx\]"):
        onnx_model.check_packages()


def test_what_litert_lacks_is_told() -> None:
    inputs = keras.Input((4, 4, 3))
    flat = keras.layers.Flatten()(inputs)
    strange = keras.layers.Lambda(lambda x: tf.linalg.det(tf.reshape(x[:, :9], [-1, 3, 3])))(flat)
    with pytest.raises(GraftError, match="LiteRT cannot express this model"):
        convert(keras.Model(inputs, strange))
