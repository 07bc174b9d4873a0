from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata

from pipeline.recovery import recover
from pipeline.workspace import Workspace


def store_of(workspace: Workspace) -> mlmd.MetadataStore:
    return mlmd.MetadataStore(metadata.sqlite_metadata_connection_config(str(workspace.metadata)))


def put_artifact(workspace: Workspace, uri: str) -> None:
    store = store_of(workspace)
    kind = store.put_artifact_type(metadata_store_pb2.ArtifactType(name="Model"))
    store.put_artifacts([metadata_store_pb2.Artifact(type_id=kind, uri=uri)])


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
