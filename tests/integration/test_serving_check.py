"""The serving check on a real model, real examples and a real server process."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from labelled_examples import record_of
from small_exports import export, picture
from tfx.types import standard_artifacts

from components.serving_check.executor import Executor
from models.data import example_schema
from models.storage.seals import tree_digest

Answer = Callable[[Path, list[bytes]], np.ndarray]
SETTINGS = json.dumps({"model_name": "digits", "check_images": 8, "tolerance": 1e-3})


def _write_examples(folder: Path, images: list[bytes]) -> list[str]:
    split = folder / f"Split-{example_schema.VALIDATION}"
    split.mkdir(parents=True)
    digests = [hashlib.sha256(image).hexdigest() for image in images]
    with tf.io.TFRecordWriter(str(split / "data_tfrecord-00000-of-00001")) as writer:
        for number, (image, digest) in enumerate(zip(images, digests, strict=True)):
            values = {
                example_schema.IMAGE: image,
                example_schema.LABEL: b"any",
                example_schema.NAME: f"any/{number} é.png".encode(),
                example_schema.SHA256: digest.encode(),
            }
            writer.write(record_of(values))
    return digests


@pytest.fixture
def trained(
    tmp_path: Path,
    small_models: tuple[Path, Path],
    pictures: list[bytes],
    answer_of: Answer,
) -> dict[str, list[Any]]:
    """Inputs of the component: a model with what it answers, examples, a blessing."""
    digests = _write_examples(tmp_path / "examples", pictures)
    shutil.copytree(small_models[0], tmp_path / "model" / "Format-Serving")
    probabilities = answer_of(small_models[0], pictures)
    _write_expected(tmp_path / "model", digests, probabilities)
    return _artifacts(tmp_path)


def _write_expected(
    model: Path, digests: list[str], probabilities: np.ndarray, **further: np.ndarray
) -> None:
    expected = [
        {
            "name": f"any/{number} é.png",
            "sha256": digest,
            "probabilities": probabilities[number].tolist(),
            "further_labels": {name: rows[number].tolist() for name, rows in further.items()},
        }
        for number, digest in enumerate(digests)
    ]
    (model / "expected.json").write_text(json.dumps(expected), encoding="utf-8")


def _artifacts(tmp_path: Path) -> dict[str, list[Any]]:
    model, examples = standard_artifacts.Model(), standard_artifacts.Examples()
    model.uri, examples.uri = str(tmp_path / "model"), str(tmp_path / "examples")
    blessing = standard_artifacts.ModelBlessing()
    blessing.uri = str(tmp_path / "verdict")
    blessing.set_int_custom_property("blessed", 1)
    return {"model": [model], "examples": [examples], "model_blessing": [blessing]}


def _run(inputs: dict[str, list[Any]], tmp_path: Path) -> tuple[int, dict[str, Any]]:
    output = standard_artifacts.InfraBlessing()
    output.uri = str(tmp_path / "output")
    Executor().Do(inputs, {"blessing": [output]}, {"settings": SETTINGS, "code": ""})
    text = (tmp_path / "output" / "serving_check.json").read_text(encoding="utf-8")
    return output.get_int_custom_property("blessed"), json.loads(text)


def test_a_model_that_serves_as_it_was_trained_is_blessed(
    trained: dict[str, list[Any]], tmp_path: Path
) -> None:
    blessed, report = _run(trained, tmp_path)
    assert (blessed, report["passed"]) == (1, True), report
    assert (tmp_path / "output" / "INFRA_BLESSED").is_file()
    assert report["export_digest"] == tree_digest(tmp_path / "model" / "Format-Serving")
    assert report["images"] == ["any/0 é.png", "any/1 é.png", "any/2 é.png"]
    for api in ("rest", "grpc"):
        assert report[api]["passed"]
        assert report[api]["max_abs_difference"] < 1e-5
        assert report[api]["milliseconds"] > 0
        assert "127.0.0.1:" in report[api]["url"]


def test_other_answers_than_the_trainers_are_told(
    trained: dict[str, list[Any]], tmp_path: Path
) -> None:
    path = tmp_path / "model" / "expected.json"
    expected = json.loads(path.read_text(encoding="utf-8"))
    expected[1]["probabilities"][0] += 0.25
    path.write_text(json.dumps(expected), encoding="utf-8")
    blessed, report = _run(trained, tmp_path)
    assert (blessed, report["passed"]) == (0, False)
    assert (tmp_path / "output" / "INFRA_NOT_BLESSED").is_file()
    for api in ("rest", "grpc"):
        assert "'any/1 é.png' differs by 0.25 from the trainer's" in report[api]["reason"]
        assert report[api]["reason"] in report["reason"]


def test_another_answer_in_a_further_column_is_told(tmp_path: Path) -> None:
    images = [picture(number) for number in range(3)]
    answers, states = export(tmp_path / "model", 1, further=True).answer_all(images)
    states[0, 0] += 0.25
    digests = _write_examples(tmp_path / "examples", images)
    _write_expected(tmp_path / "model", digests, answers, state=states)
    blessed, report = _run(_artifacts(tmp_path), tmp_path)
    assert (blessed, report["passed"]) == (0, False)
    for api in ("rest", "grpc"):
        told = "A probability of state of 'any/0 é.png' differs by 0.25 from the trainer's"
        assert told in report[api]["reason"]


def test_a_model_that_does_not_load_is_told(trained: dict[str, list[Any]], tmp_path: Path) -> None:
    variables = tmp_path / "model" / "Format-Serving" / "variables"
    (variables / "variables.data-00000-of-00001").write_bytes(b"")
    blessed, report = _run(trained, tmp_path)
    assert (blessed, report["rest"], report["grpc"]) == (0, None, None)
    assert "did not become available" in report["reason"]


def test_a_model_that_was_not_blessed_is_not_checked(
    trained: dict[str, list[Any]], tmp_path: Path
) -> None:
    trained["model_blessing"][0].set_int_custom_property("blessed", 0)
    blessed, report = _run(trained, tmp_path)
    assert (blessed, report["passed"]) == (0, False)
    assert report["reason"] == "Skipped: the model was not blessed."
    assert not (tmp_path / "output" / "server.log").exists()
