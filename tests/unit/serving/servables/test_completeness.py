"""Whether a version directory holds a whole SavedModel."""

from pathlib import Path

import pytest
from google.protobuf import text_format
from tensorflow.core.protobuf import saved_model_pb2

from serving.servables.completeness import Snapshot, missing_part


@pytest.fixture
def version(tmp_path: Path) -> Path:
    saved_model = saved_model_pb2.SavedModel()
    graph = saved_model.meta_graphs.add()
    graph.meta_info_def.tags.append("serve")
    graph.saver_def.restore_op_name = "restore"
    graph.asset_file_def.add(filename="vocabulary")
    for name in (
        "variables.index",
        "variables.data-00000-of-00002",
        "variables.data-00001-of-00002",
    ):
        (tmp_path / "variables").mkdir(exist_ok=True)
        (tmp_path / "variables" / name).write_bytes(b"x")
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "vocabulary").write_text("a")
    (tmp_path / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    return tmp_path


def test_a_whole_model_lacks_nothing(version: Path) -> None:
    assert missing_part(version) is None


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("saved_model.pb", "saved_model.pb is missing"),
        ("variables/variables.index", "variables/variables.index is missing"),
        ("variables/variables.data-00000-of-00002", "variables/ has 1 of 2 data files"),
        ("assets/vocabulary", "assets/vocabulary is missing"),
    ],
)
def test_what_has_not_arrived_is_named(version: Path, name: str, said: str) -> None:
    (version / name).unlink()
    assert missing_part(version) == said


def test_a_graph_cut_short_is_not_whole(version: Path) -> None:
    graph = version / "saved_model.pb"
    graph.write_bytes(graph.read_bytes()[:-5])
    assert missing_part(version) == "saved_model.pb is truncated or no SavedModel"
    graph.write_bytes(b"")
    assert missing_part(version) == (
        "saved_model.pb has no graph tagged 'serve' and nothing else (it has: none)"
    )


def test_the_tags_of_other_graphs_are_told(version: Path) -> None:
    saved_model = saved_model_pb2.SavedModel()
    for tags in (["serve", "gpu"], ["train"]):
        saved_model.meta_graphs.add().meta_info_def.tags.extend(tags)
    (version / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    assert "(it has: serve and gpu, train)" in (missing_part(version) or "")


def test_a_model_without_variables_needs_none(version: Path) -> None:
    saved_model = saved_model_pb2.SavedModel()
    saved_model.meta_graphs.add().meta_info_def.tags.append("serve")
    (version / "saved_model.pb").write_bytes(saved_model.SerializeToString())
    (version / "variables" / "variables.index").unlink()
    assert missing_part(version) is None


def test_a_snapshot_sees_what_grows(version: Path) -> None:
    before = Snapshot.of(version)
    assert not before.settled_for(60)
    assert before.settled_for(0)
    assert Snapshot.of(version) == before
    with (version / "variables" / "variables.index").open("ab") as file:
        file.write(b"more")
    assert Snapshot.of(version) != before


def test_a_graph_may_be_text(version: Path) -> None:
    graph = version / "saved_model.pb"
    saved_model = saved_model_pb2.SavedModel.FromString(graph.read_bytes())
    graph.unlink()
    (version / "saved_model.pbtxt").write_text(text_format.MessageToString(saved_model))
    assert missing_part(version) is None
    (version / "saved_model.pbtxt").write_text("meta_graphs {")
    assert missing_part(version) == "saved_model.pbtxt is truncated or no SavedModel"
