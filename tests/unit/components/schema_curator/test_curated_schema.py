from pathlib import Path

import pytest

from components.schema_curator.curated_schema import curated_state, write_inferred
from models.errors import UsageError


def test_an_inferred_file_keeps_the_state_of_the_run_that_wrote_it(tmp_path: Path) -> None:
    path = tmp_path / "new folder" / "schema.pbtxt"
    before = curated_state(path)
    write_inferred(path, b"feature {}", before)
    assert path.read_text() == "feature {}"
    assert curated_state(path) == before


def test_an_edit_changes_the_state_and_taking_it_back_restores_it(tmp_path: Path) -> None:
    path = tmp_path / "schema.pbtxt"
    before = curated_state(path)
    write_inferred(path, b"feature {}", before)
    path.write_text("feature { name: 'x' }")
    edited = curated_state(path)
    assert edited not in (before, curated_state(tmp_path / "other"))
    path.write_text("feature {}")
    assert curated_state(path) == before


def test_a_deleted_file_is_a_state_never_seen(tmp_path: Path) -> None:
    path = tmp_path / "schema.pbtxt"
    before = curated_state(path)
    write_inferred(path, b"feature {}", before)
    path.unlink()
    assert curated_state(path) != before


def test_a_committed_file_without_its_record_goes_by_content(tmp_path: Path) -> None:
    path = tmp_path / "schema.pbtxt"
    path.write_text("feature {}")
    (tmp_path / "copy.pbtxt").write_text("feature {}")
    assert curated_state(path) == curated_state(tmp_path / "copy.pbtxt")


def test_a_broken_record_is_as_none(tmp_path: Path) -> None:
    path = tmp_path / "schema.pbtxt"
    write_inferred(path, b"feature {}", "inferred:1")
    next(tmp_path.glob(".*inferred")).write_text("{")
    assert curated_state(path).startswith("edited:")


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="must name a file, not a folder"):
        curated_state(tmp_path)


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot be written .* validation\.schema_path"):
        write_inferred(tmp_path / "file" / "schema.pbtxt", b"feature {}", "inferred:1")
