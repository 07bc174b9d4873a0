"""What a listing of a folder makes of each file: an image, refused, or passed over."""

import os
from pathlib import Path

import numpy as np
import pytest
from listed import codes, entries, fates, put
from PIL import Image

from components.example_gen.digests import DigestCache
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.entries import LeftOut, SourceFile
from components.example_gen.sources.listing import list_source
from components.example_gen.sources.tree import Folder, walk
from models.errors import BadDataError

PLAIN = IngestSettings()


def png(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((8, 8), np.uint8)).save(path, "PNG")


def test_every_file_has_one_line(tmp_path):
    put(tmp_path, "cat/1.jpg", "cat/deep/2.jpg", "dog/1.jpg", "dog/1.json", "dog/Thumbs.db")
    put(tmp_path, "cat/.DS_Store", "cat/deep/._2.jpg", "README", "loose.jpg", "desktop.ini")
    put(tmp_path, "dog/notes", "dog/1.jpg.bak", "empty/labels.txt", "dog/1.MASK.PNG")
    put(tmp_path, ".git/objects/1", "__MACOSX/cat/1.jpg", "dog/@eaDir/1.jpg")
    (tmp_path / "none").mkdir()
    listing = list_source(str(tmp_path), PLAIN)
    assert entries(listing) == {
        ("cat/1.jpg", "cat", None),
        ("cat/deep/2.jpg", "cat", None),
        ("dog/1.jpg", "dog", None),
        ("dog/1.MASK.PNG", "dog", None),
    }
    assert codes(listing) == {
        ".git/": "hidden",
        "__MACOSX/": "hidden",
        "dog/@eaDir/": "hidden",
        "cat/.DS_Store": "hidden",
        "cat/deep/._2.jpg": "hidden",
        "README": "sidecar",
        "desktop.ini": "sidecar",
        "dog/1.json": "sidecar",
        "dog/Thumbs.db": "sidecar",
        "dog/notes": "sidecar",
        "dog/1.jpg.bak": "sidecar",
        "empty/labels.txt": "sidecar",
        "loose.jpg": "no_class",
        "empty/": "empty_class",
        "none/": "empty_class",
    }
    refused = {name for name, fate in fates(listing).items() if fate == "refused"}
    assert refused == {"loose.jpg", "empty/", "none/"}


def test_content_decides_where_the_suffix_says_nothing(tmp_path):
    for name in ("a/1", "a/2.bak", "a/3.jpg~", "b/1.v2"):
        png(tmp_path / name)
    put(tmp_path, "b/hello", "b/BMfake", "b/text.jpeg")
    (tmp_path / "b/nothing").touch()
    listing = list_source(str(tmp_path), PLAIN)
    names = {name for name, _, _ in entries(listing)}
    assert names == {"a/1", "a/2.bak", "a/3.jpg~", "b/1.v2", "b/text.jpeg"}
    assert set(fates(listing).values()) == {"passed_over"}


def test_ignored_paths_are_passed_over_unseen(tmp_path):
    put(tmp_path, "images/cat/1.jpg", "images/dog/1.jpg", "images/dog/1_mask.png")
    put(tmp_path, "masks/cat/1.jpg", "masks/dog/1.jpg", "skip.jpg")
    settings = IngestSettings(ignore=("*_mask.png", "masks", "skip.jpg"))
    listing = list_source(str(tmp_path), settings)
    assert {(name, label) for name, label, _ in entries(listing)} == {
        ("images/cat/1.jpg", "cat"),
        ("images/dog/1.jpg", "dog"),
    }
    assert codes(listing) == dict.fromkeys(
        ("images/dog/1_mask.png", "masks/", "skip.jpg"), "ignored"
    )
    with pytest.raises(BadDataError, match=r"data\.ignore"):
        list_source(str(tmp_path), IngestSettings(ignore=("*",)))
    with pytest.raises(BadDataError, match=r"data\.ignore"):
        list_source(str(tmp_path), IngestSettings(ignore=("*.jpg", "*.png")))


def test_odd_names_become_one_printable_line(tmp_path):
    names = ["a b", "quo\"te'", "new\nline", "naïve", "日本", os.fsdecode(b"latin\xe9")]
    put(tmp_path, *(f"{name}/{name}.jpg" for name in names))
    listing = list_source(str(tmp_path), PLAIN)
    labels = {file.label for file in listing.files}
    assert labels == {"a b", "quo\"te'", "new\\nline", "naïve", "日本", "latin\\xe9"}
    for file in listing.files:
        assert Path(file.path).read_bytes()
        file.name.encode()
        assert "\n" not in file.name


def linked(tmp_path: Path) -> str:
    """A folder with links of all kinds."""
    put(tmp_path, "data/cat/1.jpg", "data/dog/1.jpg", "elsewhere/2.jpg", "data/dog/in/3.jpg")
    cat = tmp_path / "data/cat"
    (cat / "more").symlink_to(tmp_path / "elsewhere")
    (cat / "relative.jpg").symlink_to("../../elsewhere/2.jpg")
    (cat / "inside").symlink_to("../dog/in")
    (cat / "one.jpg").symlink_to("1.jpg")
    (cat / "notes.txt").symlink_to("/etc/hostname")
    (cat / "again").symlink_to(cat)
    (cat / "self.jpg").symlink_to(cat / "self.jpg")
    (cat / "gone.jpg").symlink_to("nowhere")
    (cat / "back").symlink_to(tmp_path / "data")
    (tmp_path / "data/up").symlink_to(tmp_path)
    (tmp_path / "root").symlink_to(tmp_path / "data")
    os.mkfifo(cat / "pipe.jpg")
    os.mkfifo(cat / "pipe")
    return str(tmp_path / "root")


def test_links_stay_in_the_folder(tmp_path):
    listing = list_source(linked(tmp_path), PLAIN)
    assert {file.name for file in listing.files} == {
        "cat/1.jpg",
        "cat/one.jpg",
        "cat/inside/3.jpg",
        "dog/1.jpg",
        "dog/in/3.jpg",
    }
    assert codes(listing) == {
        "cat/more/": "link_outside",
        "cat/relative.jpg": "link_outside",
        "up": "link_outside",
        "cat/notes.txt": "sidecar",
        "cat/again": "symlink_loop",
        "cat/back": "symlink_loop",
        "cat/self.jpg": "unreadable",
        "cat/gone.jpg": "unreadable",
        "cat/pipe.jpg": "not_a_file",
        "cat/pipe": "not_a_file",
    }
    outside = [one for one in listing.left_out if one.code == "link_outside"]
    assert all("data.follow_links" in one.reason for one in outside)
    # A folder may be a class, of which nothing would be known; one that holds the data is none.
    assert {one.name: one.fate for one in outside} == {
        "cat/more/": "unknown",
        "cat/relative.jpg": "refused",
        "up": "refused",
    }


def test_links_may_be_let_out_but_not_in_circles(tmp_path):
    listing = list_source(linked(tmp_path), IngestSettings(follow_links=True))
    names = {file.name for file in listing.files}
    assert {"cat/more/2.jpg", "cat/relative.jpg"} <= names
    assert codes(listing) == {
        "cat/notes.txt": "sidecar",
        "cat/again": "symlink_loop",
        "cat/back": "symlink_loop",
        "up": "symlink_loop",
        "cat/self.jpg": "unreadable",
        "cat/gone.jpg": "unreadable",
        "cat/pipe.jpg": "not_a_file",
        "cat/pipe": "not_a_file",
    }


def test_a_folder_of_nothing_but_links_says_how_to_follow_them(tmp_path):
    put(tmp_path, "store/1.jpg", "data/cat/.keep", "data/dog/.keep")
    for label in ("cat", "dog"):
        (tmp_path / f"data/{label}/1.jpg").symlink_to(tmp_path / "store/1.jpg")
    with pytest.raises(BadDataError, match=r"Refused: 2 link_outside.*data\.follow_links: true"):
        list_source(str(tmp_path / "data"), PLAIN)


def test_a_pipe_in_a_files_place_is_refused_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "1.jpg")
    file = SourceFile(str(tmp_path / "1.jpg"), "cat/1.jpg", "cat", None, (1, 1, 1))
    (outcome,) = DigestCache("", str(tmp_path)).digests([file])
    assert not isinstance(outcome, str)
    assert (outcome.code, outcome.fate) == ("unreadable", "refused")


def test_a_folders_pattern_names_groups(tmp_path):
    put(tmp_path, "cat/p1_a.jpg", "cat/p1_b.jpg", "dog/p1_c.jpg", "dog/other.jpg")
    listing = list_source(str(tmp_path), IngestSettings(group=r"(p\d+)_"))
    assert {file.name: file.group for file in listing.files} == {
        "cat/p1_a.jpg": "p1",
        "cat/p1_b.jpg": "p1",
        "dog/p1_c.jpg": "p1",
        "dog/other.jpg": "",
    }


def test_what_a_folder_holds_that_cannot_be_read_is_unknown(tmp_path):
    gone = Folder(str(tmp_path / "cat"), "cat", str(tmp_path), PLAIN)
    (line,) = walk(gone)
    assert isinstance(line, LeftOut)
    assert (line.name, line.code, line.fate) == ("cat/", "closed_folder", "unknown")
