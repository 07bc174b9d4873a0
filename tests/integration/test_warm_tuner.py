"""WarmTuner as a node of a pipeline, on artifacts in the form that its neighbours write."""

import json
from pathlib import Path

import keras_tuner
import numpy as np
import pytest
from embedded_digits import write_digits, write_vocabulary
from sklearn.datasets import load_digits
from tfx.dsl.components.common.importer import Importer
from tfx.orchestration import metadata, pipeline
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.types import standard_artifacts

from components.artifact_types import Embeddings
from components.past_searches.knowledge import Knowledge
from components.warm_tuner.component import WarmTuner
from models.head.hyperparameters import HeadParameters
from models.history.tuning_history import read_history
from models.search.search_settings import SearchSettings


def run(workspace: Path, **settings: object) -> None:
    embeddings = Importer(str(workspace / "embeddings"), Embeddings).with_id("Embeddings")
    graph = Importer(str(workspace / "graph"), standard_artifacts.TransformGraph).with_id("Graph")
    tuner = WarmTuner(
        embeddings=embeddings.outputs["result"],
        transform_graph=graph.outputs["result"],
        settings=SearchSettings.model_validate(settings).to_json(),
        class_weights="balanced",
        seed=0,
        name="digits",
        knowledge=Knowledge().to_json(),
        scratch_dir=str(workspace / "scratch"),
        code="1",
    )
    LocalDagRunner().run(
        pipeline.Pipeline(
            pipeline_name="tuning",
            pipeline_root=str(workspace / "out"),
            components=[embeddings, graph, tuner],
            enable_cache=True,
            metadata_connection_config=metadata.sqlite_metadata_connection_config(
                str(workspace / "metadata.sqlite")
            ),
        )
    )


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a run of six trials."""
    workspace = tmp_path_factory.mktemp("tuning")
    write_digits(workspace / "embeddings", range(10))
    write_vocabulary(workspace / "graph", range(10))
    run(workspace, trials=6, epochs=8, hidden_units=[0, 32])
    return workspace / "out" / "WarmTuner"


def only(folder: Path) -> Path:
    (inside,) = folder.iterdir()
    return inside


def test_the_best_values_are_readable_as_tfx_and_the_trainer_read_them(tuned: Path) -> None:
    path = only(tuned / "best_hyperparameters") / "best_hyperparameters.txt"
    best = keras_tuner.HyperParameters.from_config(json.loads(path.read_text()))
    history = read_history(only(tuned / "history") / "history.jsonl")
    assert history.best is not None
    assert best.values == history.best.values
    assert HeadParameters.from_values(best.values).hidden_units in (0, 32)


def test_the_history_tells_the_task_and_every_trial(tuned: Path) -> None:
    history = read_history(only(tuned / "history") / "history.jsonl")
    assert len(history.completed) == 6
    assert history.header.name == "digits"
    task = history.header.task
    assert task is not None
    assert (task.images, task.validation_images, task.classes) == (300, 200, 10)
    assert (task.backbone, task.image_size, task.dimension) == ("pixels", 8, 64)
    assert len(task.data_fingerprint) == 64


def test_the_probe_answers_the_test_images(tuned: Path) -> None:
    folder = only(tuned / "history")
    probe = json.loads((folder / "probe.json").read_text())
    assert probe["validation_accuracy"] > 0.6
    assert set(probe["hyperparameters"]) == set(HeadParameters().to_values())
    with np.load(folder / "probe_predictions.npz", allow_pickle=False) as answers:
        names, probabilities = answers["names"], answers["probabilities"]
    assert names[0] == "test/0.png"
    assert probabilities.shape == (200, 10)
    # The columns are in the order of the sorted labels, and the unknown class counts as wrong.
    truth = load_digits(return_X_y=True)[1][500:700]
    right = probabilities.argmax(axis=1) == truth
    right[0] = False
    assert probe["test_accuracy"] == pytest.approx(right.mean(), abs=1e-6)
    assert probe["test_accuracy"] > 0.6
