"""The copy of a bucket's files, for which fsspec's memory stands."""

import shutil
from collections import namedtuple
from pathlib import Path

import fsspec
import pytest

from models.storage.buckets import Bucket
from models.storage.mirror import Mirror
from models.storage.place_error import PlaceError


class Copy:
    """A bucket and the copy of it."""

    def __init__(self, tmp_path: Path) -> None:
        self.uri = f"memory://{tmp_path.name}/photos"
        self.folder = tmp_path / "copy"
        self.said: list[str] = []
        self.mirror = Mirror(
            self.uri, self.folder, tmp_path / "notes" / "index.json", tmp_path / "incoming"
        )
        self._store, self._root = fsspec.core.url_to_fs(self.uri)

    def put(self, **files: bytes) -> None:
        for name, content in files.items():
            self.put_at(f"{name.replace('__', '/')}.jpg", content)

    def put_at(self, name: str, content: bytes) -> None:
        self._store.pipe_file(f"{self._root}/{name}", content)

    def drop(self, name: str) -> None:
        self._store.rm_file(f"{self._root}/{name}")

    def update(self, *parts: str) -> dict[str, bytes]:
        """What the copy holds after it was brought up to date."""
        self.said.clear()
        self.mirror.update(parts or ("",), self.said.append)
        return self.held()

    def held(self) -> dict[str, bytes]:
        found = (path for path in self.folder.rglob("*") if path.is_file())
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_only_what_changed_is_fetched_and_what_is_gone_is_deleted(copy: Copy) -> None:
    copy.put(cat__1=b"one", cat__2=b"two", dog__3=b"three")
    everything = {"cat/1.jpg": b"one", "cat/2.jpg": b"two", "dog/3.jpg": b"three"}
    assert copy.update() == everything
    assert copy.said == [f"Fetching 3 files, 0.0 MB, from {copy.uri}"]
    before = (copy.folder / "cat/1.jpg").stat().st_mtime_ns
    assert copy.update() == everything
    assert not copy.said
    copy.put(cat__2=b"TWO", cat__4=b"four")
    copy.drop("dog/3.jpg")
    assert copy.update() == {"cat/1.jpg": b"one", "cat/2.jpg": b"TWO", "cat/4.jpg": b"four"}
    assert copy.said == [f"Fetching 2 files, 0.0 MB, from {copy.uri}"]
    assert (copy.folder / "cat/1.jpg").stat().st_mtime_ns == before
    assert not (copy.folder / "dog").exists()
    assert not copy.mirror.incoming.exists()


def test_a_copy_that_was_deleted_or_cut_short_here_is_fetched_again(copy: Copy) -> None:
    copy.put(a=b"one", b=b"two")
    copy.update()
    (copy.folder / "a.jpg").unlink()
    (copy.folder / "b.jpg").write_bytes(b"t")
    assert copy.update() == {"a.jpg": b"one", "b.jpg": b"two"}
    copy.mirror.index.write_text("[damaged")
    assert copy.update() == {"a.jpg": b"one", "b.jpg": b"two"}
    assert copy.said == [f"Fetching 2 files, 0.0 MB, from {copy.uri}"]


def test_parts_that_are_not_wanted_any_more_are_deleted_here_alone(copy: Copy) -> None:
    copy.put(day1__a=b"one", day2__a=b"two", list=b"three")
    assert copy.update("day1") == {"day1/a.jpg": b"one"}
    (copy.folder / "of-somebody.txt").write_text("stays")
    held = copy.update("day2", "list.jpg")
    assert held == {"day2/a.jpg": b"two", "list.jpg": b"three", "of-somebody.txt": b"stays"}
    assert copy.update("day1", "day2").keys() == {"day1/a.jpg", "day2/a.jpg", "of-somebody.txt"}


def test_hidden_files_stay_away_and_a_folder_may_take_the_place_of_a_file(copy: Copy) -> None:
    copy.put_at(".hidden/a.jpg", b"no")
    copy.put_at("cat", b"a file")
    assert copy.update() == {"cat": b"a file"}
    copy.drop("cat")
    copy.put(cat__1=b"one")
    assert copy.update() == {"cat/1.jpg": b"one"}


def test_what_came_before_a_failure_is_kept(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.storage.mirror._BATCH", 2)
    copy.put(a=b"one", b=b"two", c=b"three", d=b"four")
    download, calls = Bucket.download, []

    def fails_later(bucket: Bucket, files: dict[str, Path]) -> None:
        calls.append(files)
        if len(calls) == 2:
            raise PlaceError("the network is gone")
        download(bucket, files)

    monkeypatch.setattr(Bucket, "download", fails_later)
    with pytest.raises(PlaceError, match="the network is gone"):
        copy.update()
    assert len(copy.held()) == 2
    assert len(copy.update()) == 4
    assert copy.said == [f"Fetching 2 files, 0.0 MB, from {copy.uri}"]


def test_a_file_that_came_in_part_is_not_taken(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    copy.put(a=b"one")
    monkeypatch.setattr(
        Bucket, "download", lambda _, files: [file.write_bytes(b"o") for file in files.values()]
    )
    with pytest.raises(PlaceError, match=r"a\.jpg: it was listed with 3 bytes, and 1 came"):
        copy.update()
    assert not copy.held()


def test_what_has_no_room_is_not_begun(copy: Copy, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9, 9, 2))
    copy.put(a=b"one")
    with pytest.raises(PlaceError, match=r"has 0\.0 GB, and .*copy has room for 0\.0 GB"):
        copy.update()
    assert not copy.held()


def test_nothing_at_a_part_and_a_copy_that_cannot_be_written_are_told(copy: Copy) -> None:
    with pytest.raises(PlaceError, match="there is no such file or bucket"):
        copy.update("nowhere")
    copy.put(a__b=b"one")
    copy.folder.mkdir()
    (copy.folder / "a").write_text("of somebody, where a folder has to be")
    with pytest.raises(PlaceError, match="copy/a: File exists"):
        copy.update()
