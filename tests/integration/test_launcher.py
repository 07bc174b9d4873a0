"""What a node published is used again only while it is what was published."""

import shutil
import sys
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata, pipeline as tfx_pipeline

from components.artifact_seals import SEAL, is_whole
from components.example_gen.component import ImageExampleGen
from components.transform.label_schema import LabelSchema
from models.errors import BadDataError
from pipeline.beam.beam_settings import BeamSettings
from pipeline.local_runner import StageResult, run_pipeline


class Node:
    """A pipeline of one node, in a folder."""

    def __init__(self, folder: Path):
        self.connection = metadata.sqlite_metadata_connection_config(str(folder / "m.sqlite"))
        self._pipeline = tfx_pipeline.Pipeline(
            pipeline_name="one",
            pipeline_root=str(folder / "artifacts"),
            components=[LabelSchema()],
            enable_cache=True,
            metadata_connection_config=self.connection,
        )
        self._runs = 0

    def run(self) -> StageResult:
        self._runs += 1
        (result,) = run_pipeline(self._pipeline, f"run {self._runs}", lambda _: None)
        return result

    def artifacts(self) -> list[metadata_store_pb2.Artifact]:
        store = mlmd.MetadataStore(self.connection)
        return sorted(store.get_artifacts(), key=lambda artifact: artifact.id)


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


def test_what_is_whole_comes_from_the_cache(node: Node) -> None:
    first, second = node.run(), node.run()
    assert (first.cached, second.cached) == (False, True)
    assert first.outputs == second.outputs
    assert second.damaged == ()
    (artifact,) = node.artifacts()
    assert SEAL in artifact.custom_properties
    assert is_whole(artifact)


@pytest.mark.parametrize("damage", ["flipped", "cut", "deleted", "one more", "folder deleted"])
def test_what_was_damaged_is_made_again(node: Node, damage: str) -> None:
    first = node.run()
    folder = Path(first.outputs["schema"])
    file = folder / "schema.pbtxt"
    content = file.read_bytes()
    if damage == "flipped":
        file.write_bytes(bytes([content[0] ^ 1]) + content[1:])
    elif damage == "cut":
        file.write_bytes(content[:-1])
    elif damage == "deleted":
        file.unlink()
    elif damage == "one more":
        (folder / "other").write_bytes(b"")
    else:
        shutil.rmtree(folder)
    again = node.run()
    assert not again.cached
    assert again.damaged in ((str(folder),), ())
    assert (Path(again.outputs["schema"]) / "schema.pbtxt").read_bytes() == content
    assert again.outputs != first.outputs
    assert node.run().cached


def test_what_lies_in_the_folder_of_a_new_artifact_is_no_part_of_it(
    node: Node, tmp_path: Path
) -> None:
    stray = tmp_path / "artifacts" / "LabelSchema" / "schema" / "1" / "of a lost store"
    stray.parent.mkdir(parents=True)
    stray.write_bytes(b"")
    folder = Path(node.run().outputs["schema"])
    assert folder == stray.parent
    assert [path.name for path in folder.iterdir()] == ["schema.pbtxt"]


def test_what_fails_before_it_is_executed_was_not_stopped(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    connection = metadata.sqlite_metadata_connection_config(str(tmp_path / "m.sqlite"))
    ingest = ImageExampleGen(
        path=str(tmp_path / "data"),
        settings="{}",
        columns="[]",
        seed=0,
        cache_dir=str(tmp_path / "cache"),
        code="",
    )
    pipeline = tfx_pipeline.Pipeline(
        pipeline_name="one",
        pipeline_root=str(tmp_path / "artifacts"),
        components=[ingest],
        metadata_connection_config=connection,
    )
    with pytest.raises(BadDataError, match="no class folders"):
        list(run_pipeline(pipeline, "run", lambda _: None))
    (execution,) = mlmd.MetadataStore(connection).get_executions()
    assert execution.last_known_state == execution.FAILED


def test_a_changed_property_is_damage_too(node: Node) -> None:
    node.run()
    (artifact,) = node.artifacts()
    artifact.custom_properties["blessed"].int_value = 1
    assert not is_whole(artifact)


def test_the_command_line_is_the_callers(
    digits_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = ["train.py", "-v", "photos.csv", "--log_dir"]
    monkeypatch.setattr(sys, "argv", own)
    ingest = ImageExampleGen(
        path=str(digits_folder),
        settings="{}",
        columns="[]",
        seed=0,
        cache_dir=str(tmp_path / "cache"),
        code="",
    )
    dag = tfx_pipeline.Pipeline(
        pipeline_name="one",
        pipeline_root=str(tmp_path / "artifacts"),
        components=[ingest],
        metadata_connection_config=metadata.sqlite_metadata_connection_config(
            str(tmp_path / "m.sqlite")
        ),
        beam_pipeline_args=BeamSettings().arguments,
    )
    (result,) = run_pipeline(dag, "run", lambda _: None)
    assert Path(result.outputs["examples"]).is_dir()
    assert sys.argv == own
