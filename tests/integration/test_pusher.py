"""The Pusher component: pushes what both blessings allow, and says why it does not."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from components.pusher.executor import Executor


@pytest.fixture
def inputs(tmp_path: Path, small_models: tuple[Path, Path]) -> dict[str, list[Any]]:
    shutil.copytree(small_models[0], tmp_path / "model" / "Format-Serving")
    model = standard_artifacts.Model()
    model.uri = str(tmp_path / "model")
    verdict, infra = standard_artifacts.ModelBlessing(), standard_artifacts.InfraBlessing()
    for artifact, name in ((verdict, "verdict.json"), (infra, "serving_check.json")):
        folder = tmp_path / name.removesuffix(".json")
        folder.mkdir()
        (folder / name).write_text(json.dumps({"reason": f"As {name} says."}))
        artifact.uri = str(folder)
        artifact.set_int_custom_property("blessed", 1)
    return {"model": [model], "model_blessing": [verdict], "infra_blessing": [infra]}


def _push(inputs: dict[str, list[Any]], tmp_path: Path) -> tuple[Any, dict[str, Any]]:
    pushed = standard_artifacts.PushedModel()
    pushed.uri = str(tmp_path / "pushed")
    properties = {"directory": str(tmp_path / "serving"), "code": ""}
    Executor().Do(inputs, {"pushed_model": [pushed]}, properties)
    return pushed, json.loads((tmp_path / "pushed" / "push.json").read_text(encoding="utf-8"))


def test_a_blessed_model_is_pushed_once(inputs: dict[str, list[Any]], tmp_path: Path) -> None:
    for new in (True, False):
        artifact, result = _push(inputs, tmp_path)
        version = tmp_path / "serving" / "1"
        assert artifact.get_int_custom_property("pushed") == 1
        assert artifact.get_string_custom_property("pushed_destination") == str(version)
        assert artifact.get_string_custom_property("pushed_version") == "1"
        assert (result["pushed"], result["version"], result["new"]) == (True, 1, new)
        assert (version / "saved_model.pb").is_file()
        assert (version / "variables" / "variables.index").is_file()
    assert [path.name for path in (tmp_path / "serving").iterdir()] == ["1"]


@pytest.mark.parametrize(
    ("refuses", "reason"),
    [
        ("model_blessing", "The model was not blessed. As verdict.json says."),
        ("infra_blessing", "The model did not serve. As serving_check.json says."),
    ],
)
def test_what_is_not_blessed_is_not_pushed(
    inputs: dict[str, list[Any]], tmp_path: Path, refuses: str, reason: str
) -> None:
    inputs[refuses][0].set_int_custom_property("blessed", 0)
    artifact, result = _push(inputs, tmp_path)
    assert artifact.get_int_custom_property("pushed") == 0
    assert result == {"pushed": False, "reason": reason}
    assert not (tmp_path / "serving").exists()
