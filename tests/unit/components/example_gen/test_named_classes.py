"""Folders whose images say their classes in their names."""

from collections import Counter
from pathlib import Path

import pytest
from ingest_in_process import ingest_in_process
from listed import codes, entries, put

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.listing import list_source
from models.errors import BadDataError, UsageError

_PATTERN = r"([^/]+?)[_. -]*\d+\.\w+$"


def _names(folder: str, *classes: str, first: int = 0) -> list[str]:
    return [
        f"{folder}{label}{number}.jpg" for label in classes for number in range(first, first + 9)
    ]


def _refusal(path: Path) -> str:
    with pytest.raises(BadDataError) as refused:
        list_source(str(path), IngestSettings())
    return str(refused.value)


def test_a_pattern_finds_the_class_in_the_name(tmp_path: Path) -> None:
    put(tmp_path, "images/great_pyrenees_12.jpg", "images/pug_1.jpg", "other/no.jpg", "notes.txt")
    listing = list_source(str(tmp_path), IngestSettings(class_pattern=_PATTERN))
    assert entries(listing) == {
        ("images/great_pyrenees_12.jpg", "great_pyrenees", None),
        ("images/pug_1.jpg", "pug", None),
    }
    assert codes(listing) == {"other/no.jpg": "no_class", "notes.txt": "sidecar"}


def test_split_folders_stay_the_split(tmp_path: Path) -> None:
    put(tmp_path, *_names("train/", "cat.", "dog."), *_names("Test/", "cat.", "dog.", first=9))
    listing = list_source(str(tmp_path), IngestSettings(class_pattern=_PATTERN))
    assert Counter((file.label, file.split) for file in listing.files) == {
        (label, split): 9 for label in ("cat", "dog") for split in ("train", "test")
    }


def test_train_alone_is_no_split(tmp_path: Path) -> None:
    put(tmp_path, *_names("train/", "cat.", "dog."))
    listing = list_source(str(tmp_path), IngestSettings(class_pattern=_PATTERN))
    assert {file.split for file in listing.files} == {None}


def test_a_pattern_is_for_folders_and_must_be_one(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("path,label\n")
    with pytest.raises(UsageError, match=r"data\.class_pattern: expected a folder of images"):
        list_source(str(tmp_path / "list.csv"), IngestSettings(class_pattern="a"))
    with pytest.raises(ValueError, match="a regular expression"):
        IngestSettings(class_pattern="(a")


@pytest.mark.parametrize(
    ("names", "folder"),
    [
        (_names("", "cat.", "dog."), ""),
        (["annotations/1.png", *_names("images/", "pug_", "saint_bernard_")], "images"),
        (_names("train/", "cat.", "dog."), "train"),
        (_names("train/", "cat ", "dog ") + _names("test/", "cat ", "dog "), ""),
    ],
)
def test_offers_the_pattern_where_names_look_so(
    tmp_path: Path, names: list[str], folder: str
) -> None:
    put(tmp_path, *names)
    place = str(tmp_path / folder)
    told = _refusal(tmp_path)
    assert f"`graft run --data {place} --set 'data.class_pattern={_PATTERN}'`" in told
    listing = list_source(place, IngestSettings(class_pattern=_PATTERN))
    assert len({file.label for file in listing.files}) == 2


@pytest.mark.parametrize(
    "names",
    [_names("images/", "IMG_"), ["images/a.jpg", "images/b.jpg"], _names("images/", "", "1")],
)
def test_offers_none_where_they_do_not(tmp_path: Path, names: list[str]) -> None:
    put(tmp_path, "annotations/1.png", *names)
    assert "class_pattern" not in _refusal(tmp_path)


def test_prefers_the_list_of_the_training_images(tmp_path: Path) -> None:
    put(tmp_path, "train/1.jpg", "test/2.jpg", "sample_submission.csv", "test.csv", "train.csv")
    assert "If train.csv says which class" in _refusal(tmp_path)


def test_says_so_where_one_folder_would_be_the_one_class(tmp_path: Path) -> None:
    put(tmp_path, *_names("photos/", "pug_", "cat_"))
    with pytest.raises(
        BadDataError, match=r"have the label 'photos'.* say their classes \(cat, pug"
    ):
        ingest_in_process(tmp_path, tmp_path / ".scratch")
    put(tmp_path, "labels.csv")
    with pytest.raises(BadDataError, match=r"have the label 'photos'.* If labels\.csv says"):
        ingest_in_process(tmp_path, tmp_path / ".scratch")
