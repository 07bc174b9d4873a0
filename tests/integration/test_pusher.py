"""The Pusher component: pushes what both blessings allow, and says why it does not."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tfx.types import standard_artifacts

from components.artifact_names import PUSHED_DIGEST
from components.artifact_seals import EXPORT_DIGEST
from components.pusher.executor import Executor
from models.errors import GraftError
from models.storage.seals import tree_digest


@pytest.fixture
def inputs(tmp_path: Path, small_models: tuple[Path, Path]) -> dict[str, list[Any]]:
    shutil.copytree(small_models[0], tmp_path / "model" / "Format-Serving")
    model = standard_artifacts.Model()
    model.uri = str(tmp_path / "model")
    digest = tree_digest(tmp_path / "model" / "Format-Serving")
    verdict, infra = standard_artifacts.ModelBlessing(), standard_artifacts.InfraBlessing()
    for artifact, name in ((verdict, "verdict.json"), (infra, "serving_check.json")):
        folder = tmp_path / name.removesuffix(".json")
        folder.mkdir()
        (folder / name).write_text(json.dumps({"reason": f"As {name} says."}))
        artifact.uri = str(folder)
        artifact.set_int_custom_property("blessed", 1)
        artifact.set_string_custom_property(EXPORT_DIGEST, digest)
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
        assert artifact.get_string_custom_property(PUSHED_DIGEST) == tree_digest(version)
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


def _flip(file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


@pytest.mark.parametrize("file", ["saved_model.pb", "variables/variables.data-00000-of-00001"])
def test_what_was_changed_since_it_was_proved_is_not_pushed(
    inputs: dict[str, list[Any]], tmp_path: Path, file: str
) -> None:
    _flip(tmp_path / "model" / "Format-Serving" / file)
    with pytest.raises(GraftError, match="Format-Serving is damaged: it is not the one that was"):
        _push(inputs, tmp_path)
    assert list((tmp_path / "serving").iterdir()) == []


@pytest.mark.parametrize("silent", ["model_blessing", "infra_blessing"])
def test_blessings_must_speak_of_one_export(
    inputs: dict[str, list[Any]], tmp_path: Path, silent: str
) -> None:
    for digest in ("", "0" * 64):
        inputs[silent][0].set_string_custom_property(EXPORT_DIGEST, digest)
        with pytest.raises(GraftError, match="is not the one that was proved to serve"):
            _push(inputs, tmp_path)
    assert not (tmp_path / "serving").exists()


def test_a_version_that_was_damaged_gets_a_whole_one_after_it(
    inputs: dict[str, list[Any]], tmp_path: Path
) -> None:
    _push(inputs, tmp_path)
    _flip(tmp_path / "serving" / "1" / "saved_model.pb")
    _, result = _push(inputs, tmp_path)
    assert (result["version"], result["new"]) == (2, True)
    assert tree_digest(tmp_path / "serving" / "2") == tree_digest(
        tmp_path / "model" / "Format-Serving"
    )
