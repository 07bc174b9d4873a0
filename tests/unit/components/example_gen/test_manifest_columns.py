"""Manifests of other tools: other names of columns, other roots of paths, names without endings."""

from pathlib import Path

import pytest
from listed import entries, put

from components.example_gen.ingest_settings import IngestSettings, ManifestColumns
from components.example_gen.sources.listing import list_source
from components.example_gen.sources.named_files import file_of_name, images_folder
from models.errors import BadDataError

_KAGGLE = ManifestColumns(path="Id", label="breed")


def _refusal(path: Path, settings: IngestSettings | None = None) -> str:
    with pytest.raises(BadDataError) as refused:
        list_source(str(path), settings or IngestSettings())
    return str(refused.value)


def _manifest(folder: Path, text: str, name: str = "train.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def test_columns_may_be_called_otherwise(tmp_path: Path) -> None:
    put(tmp_path, "1.jpg", "2.jpg")
    path = _manifest(tmp_path, "label,ID,Breed\nx,1.jpg,cat\ny,2.jpg,dog\n")
    expected = {("1.jpg", "cat", None), ("2.jpg", "dog", None)}
    assert entries(list_source(str(path), IngestSettings(columns=_KAGGLE))) == expected
    rows = '{"id": "1.jpg", "breed": "cat"}\n{"Id": "2.jpg", "breed": "dog"}\n'
    lines = _manifest(tmp_path, rows, "train.jsonl")
    assert entries(list_source(str(lines), IngestSettings(columns=_KAGGLE))) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,breed\n1,cat\n", "--set data.columns.path=id --set data.columns.label=breed."),
        ("file_name,label\n1.jpg,cat\n", "otherwise here, type --set data.columns.path=file_name."),
        ("name of it,label\n1.jpg,cat\n", "--set 'data.columns.path=name of it'."),
        ("a,b,c,label\n1,2,3,cat\n", "--set data.columns.path=COLUMN."),
        ("TRAIN,gs://b/1.jpg,cat\nTEST,gs://b/2.jpg,dog\n", "write `split,path,label` above it"),
        ("1.jpg,cat\n2.jpg,dog\n", "has no header: write `path,label` above it"),
        ("filename,cat,dog\n1.jpg,1,0\n", "a column of noughts and ones"),
        ("image,id,choice,by\n1.jpg,1,cat,1\n", "path=image --set data.columns.label=choice."),
        ("file,label,blurred,dark\n1.jpg,cat,1,0\n", "type --set data.columns.path=file."),
    ],
)
def test_says_what_to_type_where_columns_are_missing(tmp_path: Path, text: str, words: str) -> None:
    assert words in _refusal(_manifest(tmp_path, text))


def test_says_so_of_json_lines_too(tmp_path: Path) -> None:
    path = _manifest(tmp_path, '{"file_name": "1.jpg", "label": "cat"}\n', "metadata.jsonl")
    assert "found file_name, label. If they are called otherwise here, type" in _refusal(path)


def test_names_the_columns_that_were_asked_for(tmp_path: Path) -> None:
    told = _refusal(_manifest(tmp_path, "path,breed\n1.jpg,cat\n"), IngestSettings(columns=_KAGGLE))
    assert "lacks the column id; expected the columns id, breed and optionally split" in told
    assert "type --set data.columns.path=path." in told


def test_two_meanings_of_a_column_are_refused() -> None:
    with pytest.raises(ValueError, match="three different columns"):
        ManifestColumns(path="label")


@pytest.mark.parametrize("written", ["1", "1.jpg", "1.jpeg", "2.png", "2"])
def test_an_ending_that_is_left_out_or_of_another_case_is_found(
    tmp_path: Path, written: str
) -> None:
    put(tmp_path, "1.JPG", "2.PNG")
    path = _manifest(tmp_path, f"path,label\n{written},cat\n")
    if written == "1.jpeg":
        assert "1 unreadable" in _refusal(path)
        return
    assert entries(list_source(str(path), IngestSettings())) == {(written, "cat", None)}
    found = file_of_name(images_folder(str(path), IngestSettings()), written, IngestSettings())
    assert Path(found).exists()


@pytest.mark.parametrize(
    "written",
    [
        "a/1.jpg",
        "1.jpg",
        "/home/ann/photos/a/1.jpg",
        "C:\\photos\\a\\1.jpg",
        "gs://bucket/photos/a/1.jpg",
        "../photos/a/1.jpg",
        "photos/a/1",
    ],
)
def test_the_folder_of_the_images_may_be_elsewhere(tmp_path: Path, written: str) -> None:
    put(tmp_path, "images/a/1.jpg", "images/1.jpg", "lists/none")
    path = _manifest(tmp_path / "lists", f"path,label\n{written},cat\n")
    if written != "1.jpg":
        assert "data.images" in _refusal(path)
    settings = IngestSettings(images=str(tmp_path / "images"))
    (file,) = list_source(str(path), settings).files
    own = tmp_path / "images" / ("1.jpg" if written == "1.jpg" else "a/1.jpg")
    assert Path(file.path).samefile(own)
    found = file_of_name(images_folder(str(path), settings), file.name, settings)
    assert Path(found).samefile(own)


def test_without_that_folder_no_part_of_a_path_is_left_out(tmp_path: Path) -> None:
    put(tmp_path, "1.jpg")
    told = _refusal(_manifest(tmp_path, "path,label\nelsewhere/1.jpg,cat\n"))
    assert "paths relative to the manifest (or to data.images)" in told


def test_says_which_columns_nobody_reads(tmp_path: Path) -> None:
    put(tmp_path, "1.jpg")
    path = _manifest(tmp_path, ",Path,label,is_valid,site\n0,1.jpg,cat,True,a\n")
    assert (
        list_source(str(path), IngestSettings(), ["site"]).layout
        == "a manifest; not read: is_valid"
    )
    plain = _manifest(tmp_path, "path,label,split\n1.jpg,cat,train\n")
    assert list_source(str(plain), IngestSettings()).layout == ""


def test_bars_part_cells_and_an_image_may_be_in_no_split(tmp_path: Path) -> None:
    put(tmp_path, "1.jpg", "2.jpg")
    path = _manifest(tmp_path, "path|label|split\n1.jpg|cat|UNASSIGNED\n2.jpg|dog|unassigned\n")
    expected = {("1.jpg", "cat", None), ("2.jpg", "dog", None)}
    assert entries(list_source(str(path), IngestSettings())) == expected
    headless = _manifest(tmp_path, "UNASSIGNED,gs://b/1.jpg,cat\n")
    assert "write `split,path,label` above it" in _refusal(headless)
