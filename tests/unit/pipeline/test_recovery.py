from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata

from components.artifact_seals import seal
from components.artifact_types import BackboneChoice, TuningHistory
from components.past_searches.stored_histories import stored_histories
from pipeline.recovery import recover
from pipeline.workspace import Workspace


def store_of(workspace: Workspace) -> mlmd.MetadataStore:
    return mlmd.MetadataStore(metadata.sqlite_metadata_connection_config(str(workspace.metadata)))


def put_artifact(workspace: Workspace, uri: str) -> None:
    store = store_of(workspace)
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Model"))
    store.put_artifacts([metadata_store_pb2.Artifact(type_id=kind, uri=uri)])


def test_a_damaged_choice_of_a_backbone_is_no_longer_used(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path / "workspace")
    folder = workspace.artifacts / "Tuner/chosen/3"
    folder.mkdir(parents=True)
    (folder / "choice.json").write_text("{}")
    store = store_of(workspace)
    kind = metadata_store_pb2.ArtifactType(name=BackboneChoice.TYPE_NAME)
    choice = metadata_store_pb2.Artifact(
        type_id=store.put_artifact_type(kind),
        uri=str(folder),
        state=metadata_store_pb2.Artifact.LIVE,
    )
    seal(choice)
    store.put_artifacts([choice])
    assert recover(workspace).damaged == ()
    (folder / "choice.json").write_text("[]")
    (told,) = recover(workspace).damaged
    assert told == f"An earlier choice of a backbone is damaged and is no longer used: {folder}."
    (found,) = store_of(workspace).get_artifacts()
    assert found.state == metadata_store_pb2.Artifact.DELETED
    assert recover(workspace).damaged == ()


@pytest.mark.parametrize("name", ["moved", "moved [1]*"])
def test_artifacts_are_where_the_workspace_was_moved_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    workspace = Workspace(tmp_path / name)
    (workspace.artifacts / "Trainer/model/7").mkdir(parents=True)
    for number in (7, 8):
        put_artifact(workspace, f"/gone/artifacts/Trainer/model/{number}")
    for _ in range(2):
        recover(workspace)
        there, lost = (artifact.uri for artifact in store_of(workspace).get_artifacts())
        assert Path(there).samefile(workspace.artifacts / "Trainer/model/7")
        assert not set(there) & set("[]*")
        assert lost == "/gone/artifacts/Trainer/model/8"


def test_what_an_earlier_graft_named_otherwise_is_found_again(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    folder = workspace.artifacts / "Tuner/history/3"
    folder.mkdir(parents=True)
    store = store_of(workspace)
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="GraftTuningHistory"))
    history = metadata_store_pb2.Artifact(
        type_id=kind, uri=str(folder), state=metadata_store_pb2.Artifact.LIVE
    )
    store.put_artifacts([history])
    assert [each.uri for each in stored_histories(store)] == [str(folder)]
    for _ in range(2):
        recover(workspace)
        (found,) = store_of(workspace).get_artifacts_by_type(TuningHistory.TYPE_NAME)
        assert found.uri == str(folder)
        assert [each.uri for each in stored_histories(store_of(workspace))] == [str(folder)]
