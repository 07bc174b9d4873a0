import os
import resource
import stat
from pathlib import Path

import pytest

from models.storage.atomic_write import write_atomically


def test_the_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "new" / "file"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@pytest.mark.parametrize("name", ["x" * 255, "\U0001f408" * 63])
def test_a_name_may_be_as_long_as_the_disk_takes(tmp_path: Path, name: str) -> None:
    write_atomically(tmp_path / name, b"new")
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("is_link", [False, True])
def test_no_file_takes_the_place_of_a_device_or_a_pipe(tmp_path: Path, is_link: bool) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    path = tmp_path / "link" if is_link else pipe
    if is_link:  # as /dev/stdout is one
        path.symlink_to(pipe)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OSError, match="is a device, a pipe or a socket; expected a file"):
        write_atomically(path, b"new")
    assert sorted(tmp_path.iterdir()) == before
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert path.is_symlink() == is_link


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "taken"
    path.mkdir()
    (path / "inside").write_bytes(b"old")
    with pytest.raises(OSError, match="taken") as caught:
        write_atomically(path, b"new")
    assert (caught.value.filename, caught.value.filename2) == (str(path), None)
    assert [each.name for each in tmp_path.iterdir()] == ["taken"]


def test_what_finds_no_room_is_named(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(OSError) as caught:  # noqa: PT011 - its words are the system's
            write_atomically(tmp_path / "file", b"new" * 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caught.value.filename == str(tmp_path / "file")
    assert not list(tmp_path.iterdir())


def test_the_content_is_on_the_disk_before_the_name_points_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    to_disk = os.fsync
    synced: dict[int, tuple[int, bool]] = {}

    def watched(handle: int) -> None:
        to_disk(handle)
        status = os.fstat(handle)
        synced[status.st_ino] = status.st_size, path.exists()

    monkeypatch.setattr(os, "fsync", watched)
    write_atomically(path, b"content")
    assert synced[path.stat().st_ino] == (7, False)
