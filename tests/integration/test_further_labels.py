"""A further label column from the trainer to the server: parity, beside the digit.

Of every fifth image nobody says whether its digit is even.
"""

import json
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
import pytest
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from trainer_inputs import channels, importers, write_inputs
from training_digits import LABELS, digit_paths, parity

from components.evaluation.evaluation_settings import EvaluationSettings
from components.exported_models.exported_model import ExportedModel
from components.judge.further_columns import judge_column
from components.judge.predicting import predict_columns
from components.serving_check.check import check_serving
from components.serving_check.serving_settings import ServingSettings
from components.trainer.component import Trainer
from components.trainer.task_reader import Inputs, read_task
from models.training.train import train
from models.training.training_settings import TrainingSettings

Export = Callable[..., Path]


@pytest.fixture(scope="module")
def folder(digits_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("further")
    write_inputs(digits_folder, folder)
    return folder


@pytest.fixture(scope="module")
def examples(folder: Path) -> str:
    return str(folder / "examples")


@pytest.fixture(scope="module")
def exported(folder: Path) -> Export:
    """Trains on the same inputs with any settings; returns the Model's directory."""

    def run(name: str, **settings: object) -> Path:
        nodes = importers(folder)
        trainer = Trainer(
            **channels(nodes),
            settings=TrainingSettings(**settings).to_json(),
            seed=1,
            check_images=4,
            max_pixels=1_000_000,
            activations_dir=str(folder / "activations"),
            scratch_dir=str(folder / "scratch"),
            embeddings_dir=str(folder / "cache"),
            code=name,
            further_labels='["parity"]',
        )
        database = str(folder / f"{name}.sqlite")
        LocalDagRunner().run(
            pipeline.Pipeline(
                pipeline_name="training",
                pipeline_root=str(folder / name),
                components=[*nodes.values(), trainer],
                metadata_connection_config=metadata.sqlite_metadata_connection_config(database),
            )
        )
        (model,) = (folder / name / "Trainer" / "model").iterdir()
        return model

    return run


@pytest.fixture(scope="module")
def frozen(exported: Export) -> Path:
    return exported("frozen", strategy="feature_extraction")


@pytest.fixture(scope="module")
def tuned(exported: Export) -> Path:
    # With so few images the head alone would be exported.
    options = {
        "few_shot_images": 0,
        "epochs": 1,
        "batch_size": 8,
        "unfreeze": 0.1,
        "augment": False,
    }
    return exported("tuned", strategy="fine_tune", learning_rate=1e-4, **options)


_KINDS = pytest.mark.parametrize("kind", ["frozen", pytest.param("tuned", marks=pytest.mark.slow)])


@_KINDS
def test_the_column_is_served_as_it_was_trained(
    kind: str, examples: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    model: Path = request.getfixturevalue(kind)
    report = check_serving(str(model), examples, ServingSettings(), tmp_path / "log")
    assert report.passed, report.reason


@_KINDS
def test_the_column_is_learned_from_images_that_have_a_label(
    kind: str, examples: str, digits_folder: Path, request: pytest.FixtureRequest
) -> None:
    model: Path = request.getfixturevalue(kind)
    record = json.loads((model / "training.json").read_text())
    assert record["exported"] == ("head" if kind == "frozen" else "fine_tuned")
    (head,) = record["further_labels"]
    paths = digit_paths(digits_folder)
    known = {split: sum(bool(parity(path)) for path in paths[split]) for split in paths}
    assert head["training_images"] == known["train"] < len(paths["train"])
    assert head["validation_images"] == known["validation"]
    again = known["train"] + known["validation"] if kind == "frozen" else 0
    assert head["refitted_images"] == again
    answers = predict_columns(ExportedModel(str(model)), examples, "test")
    assert len(answers["parity"].names) == known["test"]
    result, checks = judge_column("parity", answers["parity"], None, EvaluationSettings())
    assert result is not None
    assert result.quality.accuracy > 0.75
    assert all(check.passed for check in checks)


def test_the_class_is_answered_as_without_further_columns(
    folder: Path, examples: str, frozen: Path, tmp_path: Path
) -> None:
    # A model without them is exported in `test_trainer.py`.
    inputs = Inputs(examples, str(folder / "embeddings"), labels=LABELS, values={})
    settings = TrainingSettings(strategy="feature_extraction")
    alone = train(read_task(inputs, settings, seed=1, scratch=tmp_path, log_dir=tmp_path).task)
    whole = keras.saving.load_model(frozen / "keras/model.keras")
    for one, other in zip(alone.model.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    own = {"probabilities", "class_ids", "labels"}
    served = ExportedModel(str(frozen))
    named = own | {f"parity/{name}" for name in own}
    assert set(served.signature("serving_default").structured_outputs) == named
    for signature in ("serving_examples", "monitored", "explained"):
        assert set(served.signature(signature).structured_outputs) >= named
    extra = frozen / "Format-Serving" / "assets.extra"
    assert (extra / "labels.parity.txt").read_text() == "even\nodd\n"
    assert json.loads((extra / "graft.json").read_text())["further_labels"] == {
        "parity": ["even", "odd"]
    }
