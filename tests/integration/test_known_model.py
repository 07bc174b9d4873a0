"""The model that the Evaluator is given, and what TFX's Evaluator makes of it."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_model_analysis as tfma
from judged_world import outputs
from numpy.typing import NDArray
from small_exports import LABELS, export, picture
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.artifact_names import SERVING_FOLDER
from components.evaluation import known_model, user_functions
from components.evaluation.eval_config import eval_config
from components.evaluation.evaluation_settings import EvaluationSettings
from components.evaluation.executor import Executor
from components.exported_models.exported_model import ExportedModel
from components.exported_models.known_answers import KnownAnswers, Question
from models.data import example_schema
from pipeline.beam.beam_settings import BeamSettings

_SETTINGS = EvaluationSettings()


def _example(number: int) -> bytes:
    def feature(value: str | bytes) -> tf.train.Feature:
        encoded = value.encode() if isinstance(value, str) else value
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[encoded]))

    values = {
        example_schema.IMAGE: feature(picture(number)),
        example_schema.LABEL: feature(LABELS[number % len(LABELS)]),
        example_schema.FORMAT: feature("png"),
        example_schema.CHANNELS: tf.train.Feature(int64_list=tf.train.Int64List(value=[3])),
    }
    return tf.train.Example(features=tf.train.Features(feature=values)).SerializeToString()


def _model(model: ExportedModel, answers_dir: Path) -> Any:
    """What TFMA loads."""
    with known_model.answers_in(str(answers_dir)):
        shared = known_model.custom_eval_shared_model(
            eval_saved_model_path=str(Path(model.uri) / SERVING_FOLDER),
            model_name="",
            eval_config=eval_config(_SETTINGS),
            add_metrics_callbacks=None,
        )
    return shared.model_loader.load()


def _evaluated(model: Any, numbers: range) -> NDArray[np.float32]:
    examples = tf.constant([_example(number) for number in numbers])
    return model.signatures["evaluate"](examples)["probabilities"].numpy()


def _keep(model: ExportedModel, store: Path, numbers: range) -> None:
    KnownAnswers(model, str(store)).ask([Question.about(picture(each)) for each in numbers])


def test_known_images_get_the_answers_of_the_new_head(tmp_path: Path) -> None:
    store = tmp_path / "answers"
    _keep(export(tmp_path / "first", seed=1), store, range(40))
    second = export(tmp_path / "second", seed=2)
    model = _model(second, store)
    asked = []
    signature = model.signatures["evaluate"]._signature

    def watched(examples: tf.Tensor) -> dict[str, tf.Tensor]:
        asked.append(len(examples))
        return signature(examples=examples)

    model.signatures["evaluate"]._signature = watched
    answers = _evaluated(model, range(10, 45))
    # Five new ones, and of each sixteen one, which may be a new one.
    assert 5 <= sum(asked) <= 8
    truth = second.answer([picture(number) for number in range(10, 45)])
    np.testing.assert_allclose(answers, truth, atol=1e-5)


def test_an_export_that_is_not_what_it_says_is_asked_about_all(tmp_path: Path) -> None:
    store = tmp_path / "answers"
    _keep(export(tmp_path / "first", seed=1), store, range(40))
    broken = export(tmp_path / "broken", seed=2, backbone=5)
    model = _model(broken, store)
    for numbers in (range(40), range(5)):
        truth = broken.answer([picture(number) for number in numbers])
        np.testing.assert_allclose(_evaluated(model, numbers), truth, atol=1e-5)


def test_where_nothing_is_kept_the_export_is_asked_and_nothing_is_left(tmp_path: Path) -> None:
    only = export(tmp_path / "only", seed=1)
    answers = _evaluated(_model(only, tmp_path / "answers"), range(3))
    np.testing.assert_allclose(answers, only.answer([picture(n) for n in range(3)]), atol=1e-5)
    assert not (tmp_path / "answers").exists()


def test_tfma_asks_for_labels_without_all_examples_being_written_out(tmp_path, monkeypatch):
    model = _model(export(tmp_path / "only", seed=1), tmp_path / "answers")
    examples = tf.constant([_example(number) for number in range(7)])

    def no_text(_: tf.Tensor) -> str:
        raise AssertionError("the examples were written out as text")

    monkeypatch.setattr(type(examples), "__repr__", no_text)
    labels = model.signatures["transform_labels"](examples)["label_id"]
    assert labels.numpy().tolist() == [number % len(LABELS) for number in range(7)]


def _measured(exported: ExportedModel, folder: Path, answers_dir: str) -> dict[str, float]:
    """What TFX's Evaluator finds of the 40 examples of a folder."""
    examples, model = standard_artifacts.Examples(), standard_artifacts.Model()
    examples.uri, examples.split_names = str(folder / "examples"), '["test"]'
    model.uri, model.id = exported.uri, 1
    evaluation, blessing = outputs(folder / f"outputs-{len(answers_dir)}")
    Executor(Executor.Context(BeamSettings().arguments, str(folder / "tmp"), "one")).Do(
        {"examples": [examples], "model": [model]},
        {"evaluation": [evaluation], "blessing": [blessing]},
        {
            "eval_config": proto_utils.proto_to_json(eval_config(_SETTINGS)),
            "example_splits": json.dumps(["test"]),
            "module_path": user_functions.__name__,
            "answers_dir": answers_dir,
        },
    )
    slices = tfma.load_eval_result(evaluation.uri).slicing_metrics
    return {
        f"{key} {name}": value["doubleValue"]
        for key, metrics in slices
        for name, value in metrics[""][""].items()
        if "doubleValue" in value
    }


def test_tfma_finds_the_same_with_known_answers(tmp_path: Path) -> None:
    split = tmp_path / "examples" / "Split-test"
    split.mkdir(parents=True)
    with tf.io.TFRecordWriter(str(split / "data-00000-of-00001")) as writer:
        for number in range(40):
            writer.write(_example(number))
    store = tmp_path / "answers"
    _keep(export(tmp_path / "first", seed=1), store, range(30))
    second = export(tmp_path / "second", seed=2)
    known, asked = (_measured(second, tmp_path, each) for each in (str(store), ""))
    assert len(known) > 10
    assert known == pytest.approx(asked, abs=1e-4)
