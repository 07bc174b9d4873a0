import json
from pathlib import Path
from typing import Any

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2

from models.errors import GraftError, UsageError
from pipeline.champion_check import check_champion
from pipeline.config_file import load_config
from pipeline.workspace import Workspace

CHAMPION = {"training.start": "champion", "tuning.budget": 0}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """With a blessed model of EfficientNetLite1 at 96 px."""
    workspace = Workspace(tmp_path / "workspace")
    described = tmp_path / "model" / "Format-Serving" / "assets.extra" / "graft.json"
    described.parent.mkdir(parents=True)
    told = {"backbone": "EfficientNetLite1", "image_size": 96, "model_digest": "a", "labels": []}
    described.write_text(json.dumps(told))
    workspace.root.mkdir()
    config = metadata_store_pb2.ConnectionConfig()
    config.sqlite.filename_uri = str(workspace.metadata)
    config.sqlite.connection_mode = 3
    store = mlmd.MetadataStore(config)
    kinds = {
        name: store.put_artifact_type(metadata_store_pb2.ArtifactType(name=name))
        for name in ("Model", "ModelBlessing")
    }
    model = metadata_store_pb2.Artifact(type_id=kinds["Model"], uri=str(tmp_path / "model"))
    model.state = metadata_store_pb2.Artifact.LIVE
    (number,) = store.put_artifacts([model])
    blessing = metadata_store_pb2.Artifact(type_id=kinds["ModelBlessing"])
    blessing.custom_properties["blessed"].int_value = 1
    blessing.custom_properties["current_model_id"].int_value = number
    blessing.custom_properties["export_digest"].string_value = "0f"
    store.put_artifacts([blessing])
    return workspace


def check(workspace: Workspace, **model: Any) -> None:
    values = {f"model.{key}": value for key, value in model.items()}
    check_champion(load_config(None, CHAMPION | values), workspace)


def test_the_same_backbone_and_size_are_let_pass_and_others_told(workspace: Workspace) -> None:
    check(workspace, backbone="EfficientNetLite1", image_size=96)
    with pytest.raises(UsageError) as refused:
        check(workspace, backbone="EfficientNetLite0", image_size=96)
    assert "EfficientNetLite1 at 96 px, but model asks for EfficientNetLite0" in str(refused.value)
    assert "Set model.backbone: EfficientNetLite1 and model.image_size: 96" in str(refused.value)
    check_champion(load_config(None, {"model.image_size": 64}), workspace)
    check_champion(load_config(None, {"model.image_size": 64, "data.replay": 5}), workspace)


def test_a_backbone_that_a_search_may_choose_is_let_pass(workspace: Workspace) -> None:
    check(workspace, candidates=[{}, {"backbone": "EfficientNetLite1", "image_size": 96}])


def test_before_the_first_blessed_model_there_is_nothing_to_check(tmp_path: Path) -> None:
    check(Workspace(tmp_path), image_size=64)


def test_a_model_that_does_not_say_what_it_is_is_told(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "model" / "Format-Serving" / "assets.extra" / "graft.json").unlink()
    with pytest.raises(GraftError, match="does not say what it is"):
        check(workspace, image_size=96)
