"""What a run may learn from, be compared with or find served is checked before it begins."""

import shutil
import sqlite3
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata

from components.artifact_names import BLESSED, CURRENT_MODEL_ID, PUSHED_DIGEST, TUNING_HISTORY
from components.artifact_seals import EXPORT_DIGEST, is_whole, seal
from components.blessed_models import blessed_models
from components.past_searches.stored_histories import stored_histories
from components.pusher.executor import DESTINATION
from models.storage.seals import tree_digest
from pipeline.metadata_store import MetadataFile, MetadataStoreError
from pipeline.recovery import recover
from pipeline.workspace import Workspace

_State = metadata_store_pb2.Artifact.State


class Store:
    """A workspace with artifacts that no run made."""

    def __init__(self, root: Path):
        self.workspace = Workspace(root)
        root.mkdir()
        self.store = mlmd.MetadataStore(
            metadata.sqlite_metadata_connection_config(str(self.workspace.metadata))
        )

    def add(self, kind: str, **properties: str | int) -> metadata_store_pb2.Artifact:
        type_id = self.store.put_artifact_type(metadata_store_pb2.ArtifactType(name=kind))
        number = len(self.store.get_artifacts()) + 1
        folder = self.workspace.artifacts / kind / str(number)
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"content")
        artifact = metadata_store_pb2.Artifact(type_id=type_id, uri=str(folder), state=_State.LIVE)
        for key, value in properties.items():
            name = "int_value" if isinstance(value, int) else "string_value"
            setattr(artifact.custom_properties[key], name, value)
        seal(artifact)
        (artifact.id,) = self.store.put_artifacts([artifact])
        return artifact

    def is_live(self, artifact: metadata_store_pb2.Artifact) -> bool:
        (found,) = self.store.get_artifacts_by_id([artifact.id])
        assert is_whole(found) or found.state == _State.DELETED
        return bool(found.state == _State.LIVE)


def damage(artifact: metadata_store_pb2.Artifact) -> None:
    Path(artifact.uri, "file").write_bytes(b"contend")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "workspace")


def test_a_damaged_history_is_no_longer_learned_from(store: Store) -> None:
    histories = [store.add(TUNING_HISTORY) for _ in range(3)]
    assert recover(store.workspace).damaged == ()
    damage(histories[1])
    (told,) = recover(store.workspace).damaged
    assert histories[1].uri in told
    assert [each.id for each in stored_histories(store.store)] == [1, 3]
    assert recover(store.workspace).damaged == ()


def test_a_damaged_model_is_no_longer_compared_with(store: Store) -> None:
    models = [store.add("Model") for _ in range(4)]
    for model in models[:3]:
        store.add("ModelBlessing", **blessing(model, 1))
    store.add("ModelBlessing", **blessing(models[3], 0))
    damage(models[2])
    (told,) = recover(store.workspace).damaged
    assert models[2].uri in told
    assert [store.is_live(model) for model in models] == [True, True, False, True]


def blessing(model: metadata_store_pb2.Artifact, blessed: int) -> dict[str, int | str]:
    """What the Judge says of a model."""
    return {CURRENT_MODEL_ID: model.id, BLESSED: blessed, EXPORT_DIGEST: "0f"}


def test_a_model_that_the_evaluator_alone_blessed_is_none(store: Store) -> None:
    passed, refused = store.add("Model"), store.add("Model")
    store.add("ModelBlessing", **blessing(passed, 1))
    store.add("ModelBlessing", **{CURRENT_MODEL_ID: refused.id, BLESSED: 1})
    store.add("ModelBlessing", **blessing(refused, 0))
    assert [each.id for each in blessed_models(store.store)] == [passed.id]


@pytest.fixture
def pushed(store: Store) -> metadata_store_pb2.Artifact:
    version = store.workspace.root / "serving" / "graft" / "1"
    version.mkdir(parents=True)
    (version / "saved_model.pb").write_bytes(b"graph")
    return store.add(
        "PushedModel", **{DESTINATION: str(version), PUSHED_DIGEST: tree_digest(version)}
    )


def test_a_version_as_it_was_pushed_stays(
    store: Store, pushed: metadata_store_pb2.Artifact
) -> None:
    assert recover(store.workspace).damaged == ()
    assert store.is_live(pushed)


def test_a_damaged_version_is_pushed_again(
    store: Store, pushed: metadata_store_pb2.Artifact
) -> None:
    version = store.workspace.root / "serving" / "graft" / "1"
    (version / "saved_model.pb").write_bytes(b"grapf")
    assert recover(store.workspace).damaged == (
        f"The served version {version} is damaged: it is not what was pushed.",
    )
    assert not store.is_live(pushed)


def test_a_version_that_was_deleted_is_pushed_again_without_a_word(
    store: Store, pushed: metadata_store_pb2.Artifact
) -> None:
    shutil.rmtree(store.workspace.root / "serving")
    assert recover(store.workspace).damaged == ()
    assert not store.is_live(pushed)


def test_looking_around_leaves_the_store_as_it_was(store: Store) -> None:
    store.add(TUNING_HISTORY)
    MetadataFile(store.workspace.metadata).end_writing()
    recorded = MetadataFile(store.workspace.metadata).digest_file.read_bytes()
    recover(store.workspace)
    assert not MetadataFile(store.workspace.metadata).digest_file.exists()
    MetadataFile(store.workspace.metadata).end_writing()
    assert MetadataFile(store.workspace.metadata).digest_file.read_bytes() == recorded


def test_a_store_of_another_version_of_ml_metadata_is_told(store: Store) -> None:
    store.add(TUNING_HISTORY)
    connection = sqlite3.connect(store.workspace.metadata)
    connection.execute("UPDATE MLMDEnv SET schema_version = 99")
    connection.commit()
    connection.close()
    with pytest.raises(MetadataStoreError, match="Move it away to start afresh") as caught:
        recover(store.workspace)
    assert "SELECT" not in str(caught.value)


def test_a_store_that_was_moved_away_takes_its_digest_along(store: Store) -> None:
    MetadataFile(store.workspace.metadata).end_writing()
    store.workspace.metadata.unlink()
    recover(store.workspace)
    assert not MetadataFile(store.workspace.metadata).digest_file.exists()
