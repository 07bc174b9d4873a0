from pathlib import Path

import pytest

from models.storage.folders import copy_folder, delete_others


def test_only_the_folder_and_files_stay(tmp_path: Path) -> None:
    for name in ("own", "other", "third"):
        (tmp_path / name / "inner").mkdir(parents=True)
    (tmp_path / "file").touch()
    delete_others(tmp_path / "own")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "own"]
    assert (tmp_path / "own" / "inner").is_dir()


def test_what_is_to_be_kept_need_not_exist(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    delete_others(tmp_path / "new")
    delete_others(tmp_path / "nowhere" / "new")
    assert list(tmp_path.iterdir()) == []


def test_a_copy_has_all_that_lies_below_and_what_links_lead_to(tmp_path: Path) -> None:
    (tmp_path / "a" / "inner" / "empty").mkdir(parents=True)
    (tmp_path / "a" / "inner" / "file").write_text("text")
    (tmp_path / "a" / "link").symlink_to("inner")
    copy_folder(tmp_path / "a", tmp_path / "new" / "b")
    copied = tmp_path / "new" / "b"
    assert (copied / "inner" / "empty").is_dir()
    assert (copied / "link" / "file").read_text() == "text"
    assert not (copied / "link").is_symlink()


def test_a_copy_ends_with_the_error_of_the_first_file(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in "xyz":
        (tmp_path / "a" / name).symlink_to("nowhere")
    with pytest.raises(FileNotFoundError) as raised:
        copy_folder(tmp_path / "a", tmp_path / "b")
    assert Path(raised.value.filename) == tmp_path / "a" / "x"
