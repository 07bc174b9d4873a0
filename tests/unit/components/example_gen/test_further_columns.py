"""Further label columns of a manifest: the rules of the label, but that a cell may be empty."""

import json
from pathlib import Path

import pytest
from listed import codes

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.entries import Listing
from components.example_gen.sources.listing import list_source
from models.errors import UsageError


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for number in range(1, 5):
        (tmp_path / f"{number}.jpg").write_bytes(b"picture")
    return tmp_path


def further(folder: Path, content: str, name: str = "list.csv", *columns: str) -> Listing:
    (folder / name).write_text(content)
    settings = IngestSettings(further_labels=columns)
    return list_source(str(folder / name), settings, settings.further_labels)


def test_further_labels_are_labels_and_may_be_missing(pictures):
    text = "path,label,Material,state\n1.jpg,a, wool ,new\n2.jpg,b,NA,\n3.jpg,b,silk,old\n"
    listing = further(pictures, text, "list.csv", "material", "state")
    assert [file.slices for file in listing.files] == [("wool", "new"), ("", ""), ("silk", "old")]
    rows = [{"path": f"{n}.jpg", "label": "a", "grade": n} for n in (1.0, None, 3, True)]
    for number, row in enumerate(rows, start=1):
        row["path"] = f"{number}.jpg"
    listing = further(
        pictures, "".join(json.dumps(row) + "\n" for row in rows), "list.jsonl", "grade"
    )
    assert [file.slices for file in listing.files] == [("1",), ("",), ("3",), ("true",)]


def test_several_further_labels_of_an_image_are_refused_by_their_column(pictures):
    rows = [
        {"path": "1.jpg", "label": "a", "grade": "x"},
        {"path": "2.jpg", "label": "a", "grade": "y"},
        {"path": "3.jpg", "label": "a", "grade": "x|y"},
        {"path": "4.jpg", "label": "a", "grade": ["x"]},
    ]
    listing = further(
        pictures, "".join(json.dumps(row) + "\n" for row in rows), "list.jsonl", "grade"
    )
    assert codes(listing) == {"3.jpg": "several_labels", "4.jpg": "several_labels"}
    assert all("in grade: the label" in one.reason for one in listing.left_out)


def test_a_missing_column_of_further_labels_names_its_key(pictures):
    with pytest.raises(UsageError, match=r"data\.further_labels: 'grad' is no column .* grade\?"):
        further(pictures, "path,label,grade\n1.jpg,a,x\n", "list.csv", "grad")
    with pytest.raises(UsageError, match=r"data\.further_labels: expected data with columns"):
        list_source(str(pictures), IngestSettings(further_labels=("grade",)), ("grade",))


@pytest.mark.parametrize("names", [("label",), ("a", "A "), ("age group",), ("a/b",), ("",)])
def test_further_labels_have_the_names_of_outputs(names):
    with pytest.raises(ValueError, match="names of outputs"):
        IngestSettings(further_labels=names)


def test_a_repeated_row_may_not_say_something_else(pictures):
    text = "path,label,state\n1.jpg,a,new\n1.jpg,a,new\n1.jpg,a,old\n1.jpg,a,\n2.jpg,b,\n"
    listing = further(pictures, text, "list.csv", "state")
    told = sorted((one.code, one.reason.partition(":")[0]) for one in listing.left_out)
    assert told == [
        ("duplicate_row", "line 3 repeats line 2"),
        ("several_labels", "line 4"),
        ("several_labels", "line 5"),
    ]
    assert "another label in state than line 2" in listing.left_out[1].reason
