import os
from pathlib import Path

import pytest
import tensorflow as tf

from models.errors import UsageError
from models.storage.plain_path import is_plain, plain_path

STRANGE = [
    "x [1]", "{SPAN}", "a*", "b?", "50%", "back\\slash", "line\nbreak", "it's", 'a "b"', "#1",
    "a&b", "$HOME", "~", "c:d", "<b>", "e\u0301", "latin\udce9",
]  # fmt: skip


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "caches"))
    return tmp_path / "caches"


@pytest.mark.parametrize("name", STRANGE)
def test_files_are_found_by_a_pattern_whatever_the_path(tmp_path: Path, name: str) -> None:
    folder = tmp_path / name / "inner"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("found")
    link = plain_path(folder)
    (found,) = tf.io.gfile.glob(f"{link}/*.txt")
    assert Path(found).read_text() == "found"
    assert plain_path(folder) == link


def test_a_plain_path_needs_no_link(tmp_path: Path, caches: Path) -> None:
    for path in (tmp_path, Path("/data/größe 数字 1,5+2=3@home_a-b.c")):
        assert plain_path(path) == path
    assert not caches.exists()


def test_two_paths_have_two_links_and_a_link_that_leads_elsewhere_is_mended(tmp_path: Path) -> None:
    first, second = plain_path(tmp_path / "[1]"), plain_path(tmp_path / "[2]")
    assert first != second
    first.unlink()
    first.symlink_to(tmp_path)
    assert plain_path(tmp_path / "[1]").readlink() == tmp_path / "[1]"


def test_where_the_cache_folder_is_of_no_use_the_system_s_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    for caches in (tmp_path / "file", tmp_path / "caches [1]"):
        monkeypatch.setenv("XDG_CACHE_HOME", str(caches))
        link = plain_path(tmp_path / "[1]")
        assert link.parent == tmp_path / "temporary" / f"graft-{os.geteuid()}" / "links"
    assert is_plain(link)


def test_a_link_is_not_made_where_another_could_have_set_a_trap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "not absolute")
    (tmp_path / "trap").mkdir()
    (tmp_path / f"graft-{os.geteuid()}").symlink_to(tmp_path / "trap")
    with pytest.raises(UsageError, match=r"no link to it could be made .*Choose another path"):
        plain_path(tmp_path / "[1]")
