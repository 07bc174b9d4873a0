"""What cannot run on Kubeflow Pipelines is refused before anything is compiled."""

from pathlib import Path

import pytest

from models.errors import UsageError
from pipeline.config_file import load_config
from pipeline.kubeflow.compile import compile_pipeline, without_effect


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({}, "Kubeflow needs kubeflow.pipeline_root"),
        (
            {"kubeflow.pipeline_root": "gs://bucket/graft", "model.chain": ["/gcs/public"]},
            "there is no model.chain.*export --format backbone",
        ),
        (
            {"kubeflow.pipeline_root": "gs://bucket/graft", "data.target": "gs://bucket/new"},
            "images are read from a folder of the containers. Mount the bucket",
        ),
        (
            {"kubeflow.pipeline_root": "gs://bucket/graft", "data.replay": 50},
            "there is no data.replay.*data.replay: 0",
        ),
    ],
)
def test_it_is_refused_in_words(tmp_path: Path, keys: dict[str, object], words: str) -> None:
    config = load_config(None, {"data.path": "/gcs/photos"} | keys)
    with pytest.raises(UsageError, match=words):
        compile_pipeline(config, name="photos", image="graft:1", file=tmp_path / "made.yaml")
    assert not list(tmp_path.iterdir())


def test_keys_that_no_step_reads_are_told() -> None:
    keys = {"limits.minutes": 30, "retention.runs": 3, "tracking.mlflow": "http://mlflow:5000"}
    keys |= {"metadata.uri": "$RECORDS", "notifications.webhook": "$CHAT"}
    config = load_config(None, {"data.path": "/gcs/photos"} | keys)
    told = ["limits.minutes", "metadata.uri", "notifications", "retention", "tracking.mlflow"]
    assert without_effect(config) == told
    assert without_effect(load_config(None, {"data.path": "/gcs/photos"})) == []
