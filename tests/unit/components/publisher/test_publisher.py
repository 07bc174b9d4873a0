"""The Publisher component: publishes what was pushed, and nothing else."""

import json
from pathlib import Path

import pytest
from model_folders import model_folder
from tfx.types import standard_artifacts

from components.artifact_names import PUSH_FILE
from components.publisher.executor import Executor
from components.publisher.publish import published_versions
from models.storage.seals import write_sums


@pytest.mark.parametrize("pushed", [True, False])
def test_what_was_pushed_is_published_and_nothing_else(tmp_path: Path, pushed: bool) -> None:
    version = model_folder(tmp_path / "serving" / "3", "one")
    write_sums(version)
    push = standard_artifacts.PushedModel()
    push.uri = str(tmp_path / "pushed")
    told = {"pushed": True, "destination": str(version)} if pushed else {"pushed": False}
    Path(push.uri).mkdir()
    (Path(push.uri) / PUSH_FILE).write_text(json.dumps(told))
    target = f"memory://{tmp_path.name}/models"
    Executor().Do({"pushed_model": [push]}, {}, {"target": target})
    assert published_versions(target) == ([3] if pushed else [])
