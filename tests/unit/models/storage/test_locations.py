"""Places on this machine and in a bucket, for which fsspec's memory:// stands."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from models.storage import locations
from models.storage.locations import files_in, read_place, write_place
from models.storage.place_error import PlaceError


@pytest.fixture(params=["local", "remote"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], str]:
    """Makes places in an empty folder; the memory stands for a bucket."""
    root = str(tmp_path) if request.param == "local" else f"memory://{tmp_path.name}"
    return lambda name: locations.join(root, name)


def test_what_is_written_is_read_and_found(place: Callable[[str], str]) -> None:
    for name in ("b.jsonl", "a/c/d.jsonl", "a/e.txt", ".hidden/f.jsonl", "a/.g.jsonl"):
        write_place(place(name), name.encode())
    assert files_in(place(""), ".jsonl") == [place("a/c/d.jsonl"), place("b.jsonl")]
    assert files_in(place("a/e.txt"), ".jsonl") == [place("a/e.txt")]
    assert read_place(place("a/c/d.jsonl"), 100) == b"a/c/d.jsonl"


def test_what_is_missing_is_named(place: Callable[[str], str]) -> None:
    with pytest.raises(PlaceError, match="absent"):
        files_in(place("absent"), ".jsonl")
    with pytest.raises(PlaceError, match="absent"):
        read_place(place("absent"), 100)


def test_a_file_that_is_too_large_is_refused(place: Callable[[str], str]) -> None:
    write_place(place("a.jsonl"), b"12345")
    with pytest.raises(PlaceError, match="larger than"):
        read_place(place("a.jsonl"), 4)


def test_too_many_files_are_refused(
    place: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locations, "MOST_FILES", 2)
    for number in range(3):
        write_place(place(f"{number}.jsonl"), b"")
    with pytest.raises(PlaceError, match="more than 2"):
        files_in(place(""), ".jsonl")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(PlaceError, match="not a file"):
        read_place(str(tmp_path / "pipe.jsonl"), 100)


def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(PlaceError, match="file"):
        write_place(str(tmp_path / "file" / "a.jsonl"), b"")


def test_an_unknown_scheme_is_named() -> None:
    with pytest.raises(PlaceError, match=r"expected s3:// or gs://; .*scheme 'nowhere'"):
        files_in("nowhere://bucket/folder", ".jsonl")
