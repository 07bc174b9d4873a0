from pathlib import Path

from models.storage.folders import delete_others


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
