import gzip
import json
import os
from pathlib import Path

import pytest
from listed import codes, entries, put

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources import manifest_text
from components.example_gen.sources.entries import Listing
from components.example_gen.sources.listing import list_source
from models.errors import BadDataError, UsageError


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    put(tmp_path, *(f"{number}.jpg" for number in range(1, 5)))
    return tmp_path


def listed(folder: Path, content: str | bytes, name: str = "list.csv", **settings) -> Listing:
    path = folder / name
    path.write_bytes(
        content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    )
    return list_source(str(path), IngestSettings(**settings))


def json_lines(*rows: object) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def labels(listing: Listing) -> dict[str, str]:
    return {file.name: file.label for file in listing.files}


def test_csv_manifest(tmp_path):
    put(tmp_path, "pictures/one, two.jpg", 'pictures/"q"\n.jpg', "three.jpg")
    rows = (
        "\ufeffLabel;PATH;split;weight\r\n"
        ' cat ;"pictures/one, two.jpg";train;1\r\n'
        'dog;"pictures/""q""\n.jpg";val;2\r\n'
        "dog;three.jpg;;3\r\n"
        "dog;three.jpg;;3\r\n"
        "dog;missing.jpg;test;3\r\n"
        ";three.jpg;test;3\r\n"
        "dog;three.jpg;sometimes;3\r\n"
    )
    manifest = tmp_path / "list.csv"
    manifest.write_text(rows, newline="")
    listing = list_source(str(manifest), IngestSettings())
    assert entries(listing) == {
        ("pictures/one, two.jpg", "cat", "train"),
        ('pictures/"q"\\n.jpg', "dog", "validation"),
        ("three.jpg", "dog", "train"),
    }
    assert sorted(one.code for one in listing.left_out) == [
        "duplicate_row",
        "no_label",
        "not_a_split",
        "unreadable",
    ]


def test_json_lines_manifest(tmp_path):
    put(tmp_path, "1.jpg", "2.jpg")
    manifest = tmp_path / "list.jsonl"
    rows = [json.dumps({"path": "1.jpg", "label": 7}), "", '"text"', "{"]
    rows.append(json.dumps({"path": str(tmp_path / "2.jpg"), "label": "ü"}))
    manifest.write_text("\n".join(rows))
    listing = list_source(str(manifest), IngestSettings())
    assert {(file.label, file.split) for file in listing.files} == {("7", None), ("ü", None)}
    assert codes(listing) == {"list.jsonl:3": "bad_row", "list.jsonl:4": "bad_row"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "file,class\n1.jpg,cat\n", "lacks the columns path and label.*found file, class"),
        ("a.csv", "", "found an empty file"),
        ("a.csv", "path,label\n", "has no rows"),
        ("a.csv", "path,label,Path\nx.jpg,a,y.jpg\n", "has two columns path"),
        ("a.csv", 'path,"label\nx.jpg,a\n', "line 1, is not CSV: a quote is not closed"),
        ("a.csv", "path,cat,dog\nx.jpg,1,0\n", "lacks the column label.*name of the one class"),
        ("a.csv", "path,label\nx.jpg,cat\ny.jpg,dog\n", "None of the 2 rows.*No such file"),
        ("a.jsonl", '{"file": "x.jpg"}\n', "None of the 1 rows.*names no image"),
        ("a.txt", "hello", "is no folder"),
    ],
)
def test_says_what_a_manifest_lacks(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadDataError, match=words):
        list_source(str(tmp_path / name), IngestSettings())


def test_labels_that_join_others_are_refused(pictures):
    listing = listed(pictures, "path,label\n1.jpg,a\n2.jpg,b\n3.jpg,a|b\n4.jpg,c|d\n")
    assert labels(listing) == {"1.jpg": "a", "2.jpg": "b", "4.jpg": "c|d"}
    assert codes(listing) == {"3.jpg": "several_labels"}


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-32", "utf-32-be"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_byte_order_marks_delimiters_and_line_ends(pictures, encoding, delimiter, end):
    mark = "\ufeff" if encoding[-3:] in ("-le", "-be") else ""
    rows = ["path,label", "1.jpg,café", "2.jpg,工"]
    text = mark + end.join(rows).replace(",", delimiter)
    listing = listed(pictures, text.encode(encoding))
    assert labels(listing) == {"1.jpg": "café", "2.jpg": "工"}


@pytest.mark.parametrize("name", ["list.csv", "list.jsonl"])
def test_what_is_not_utf_8_is_refused_or_decoded_by_name(pictures, name):
    text = "path,label\n1.jpg,b\n2.jpg,café\n"
    if name == "list.jsonl":
        text = '\n{"path": "1.jpg", "label": "b"}\n{"path": "2.jpg", "label": "café"}\n'
    with pytest.raises(BadDataError, match=r"line 3 holds the byte 0xe9.*data.encoding=cp1252"):
        listed(pictures, text.encode("cp1252"), name)
    assert labels(listed(pictures, text.encode("cp1252"), name, encoding="cp1252")) == {
        "1.jpg": "b",
        "2.jpg": "café",
    }
    with pytest.raises(BadDataError, match=r"zero bytes.*data.encoding=utf-16-le"):
        listed(pictures, text.encode("utf-16-le"), name)


@pytest.mark.parametrize(
    "encoding", ["rot13", "base64", "zip", "idna", "unicode_escape", "ut-8", "\0"]
)
def test_an_encoding_that_is_none_is_bad_usage(encoding):
    with pytest.raises(ValueError, match=r"an encoding of text|without a NUL"):
        IngestSettings(encoding=encoding)
    assert IngestSettings(encoding="Latin1").encoding == "Latin1"


def test_separators_of_windows(pictures):
    put(pictures, "images/0/a.jpg", "back\\slash.jpg", "images/x")
    listing = listed(
        pictures,
        "path,label\nimages\\0\\a.jpg,a\nback\\slash.jpg,b\nC:\\images\\a.jpg,a\nimages\\b.jpg,a\n",
    )
    assert {Path(file.path).relative_to(pictures).as_posix() for file in listing.files} == {
        "images/0/a.jpg",
        "back\\slash.jpg",
    }
    assert codes(listing) == {"C:\\images\\a.jpg": "unreadable", "images\\b.jpg": "unreadable"}
    assert any("drive of Windows" in one.reason for one in listing.left_out)


def test_accents_may_be_composed_on_one_side_and_decomposed_on_the_other(pictures):
    put(pictures, "cafe\u0301/1.jpg", "\u00e9t\u00e9.jpg")
    listing = listed(pictures, "path,label\ncaf\u00e9/1.jpg,a\ne\u0301te\u0301.jpg,b\n")
    assert {Path(file.path).relative_to(pictures).as_posix() for file in listing.files} == {
        "cafe\u0301/1.jpg",
        "\u00e9t\u00e9.jpg",
    }


@pytest.mark.parametrize("address", ["file:///a/1.jpg", "file:1.jpg", "gs://b/1.jpg", "https://x"])
def test_an_address_is_no_path(pictures, address):
    put(pictures, "1.jpg")
    listing = listed(pictures, f"path,label\n1.jpg,a\n{address},a\n")
    (line,) = listing.left_out
    assert line.code == "unreadable"
    assert "it is an address; expected the path of a file of this machine" in line.reason


def test_broken_rows_of_json_lines_cost_themselves(pictures):
    rows = [
        '{"path": "1.jpg", "label": "a"}',
        "[" * 100_000,
        '{"path": "2.jpg", "label": ' + "9" * 5000 + "}",
        '{"path": "2.jpg", "label": "a", "Label": "b"}',
        '{"path": "a\\u0000b.jpg", "label": "a"}',
        '{"path": "\\ud800.jpg", "label": "a"}',
        '{"path": ["2.jpg"], "label": "a"}',
        '{"path": 2, "label": "a"}',
        '{"path": "' + "x" * 100_000 + '", "label": "a"}',
        '{"path": "2.jpg", "label": "a", "split": NaN}',
        '{"path": "2.jpg", "label": "a", "split": ["train"]}',
        '{"path": "2.jpg", "label": "a\0"}',
        '{"path": "3.jpg", "label": "b"}',
        "{}",
    ]
    listing = listed(pictures, "\n".join(rows), "list.jsonl")
    assert labels(listing) == {"1.jpg": "a", "3.jpg": "b"}
    assert len(listing.files) + len(listing.left_out) == len(rows)
    assert {one.fate for one in listing.left_out if one.code != "empty_row"} == {"refused"}
    reasons = " ".join(one.reason for one in listing.left_out)
    for words in ("nested too deep", "key label stands there twice", "zero byte", "File name too"):
        assert words in reasons
    assert max(len(one.name) + len(one.reason) for one in listing.left_out) < 1000


def test_broken_rows_of_csv_cost_themselves(pictures):
    rows = [
        "path,label,note",
        "1.jpg,a,",
        "2.jpg,a",
        "2.jpg,a,,b",
        '2.jpg,"a"b,',
        '2.jpg,"never closed,',
        "a\0b.jpg,a,",
        " , ,",
        "3.jpg,b,,,",
        f'2.jpg,"{"x" * 200_000}",',
        "4.jpg,b,x",
    ]
    listing = listed(pictures, "\n".join(rows))
    assert labels(listing) == {"1.jpg": "a", "3.jpg": "b", "4.jpg": "b"}
    assert [one.fate for one in listing.left_out if one.code == "empty_row"] == ["passed_over"]
    assert len(listing.files) + len(listing.left_out) == len(rows) - 1


def test_excels_own_first_line(pictures):
    assert labels(listed(pictures, "sep=;\npath;label\n1.jpg;a,b\n")) == {"1.jpg": "a,b"}


def test_only_regular_files_are_taken(pictures):
    os.mkfifo(pictures / "pipe.jpg")
    (pictures / "folder.jpg").mkdir()
    names = ["1.jpg", "pipe.jpg", "folder.jpg", ".", "/dev/zero", "gone.jpg", "1.jpg/x"]
    listing = listed(pictures, json_lines(*({"path": n, "label": "a"} for n in names)), "l.jsonl")
    assert labels(listing) == {"1.jpg": "a"}
    assert codes(listing) == {
        "pipe.jpg": "not_a_file",
        "folder.jpg": "not_a_file",
        ".": "not_a_file",
        "/dev/zero": "not_a_file",
        "gone.jpg": "unreadable",
        "1.jpg/x": "unreadable",
    }


def test_a_manifest_is_a_regular_file_of_a_sane_size(pictures, monkeypatch):
    os.mkfifo(pictures / "pipe.csv")
    (pictures / "zero.csv").symlink_to("/dev/zero")
    for name in ("pipe.csv", "zero.csv"):
        with pytest.raises(BadDataError, match="a device or a pipe"):
            list_source(str(pictures / name), IngestSettings())
    monkeypatch.setattr(manifest_text, "MAX_BYTES", 10)
    with pytest.raises(BadDataError, match="a manifest may have 10"):
        listed(pictures, "path,label\n1.jpg,a\n")


@pytest.mark.parametrize(
    ("content", "words"),
    [(gzip.compress(b"path,label\n", mtime=0), "gzip"), (b"PK\3\4", "spreadsheet")],
)
def test_a_manifest_that_is_packed_is_named(pictures, content, words):
    (pictures / "list.csv").write_bytes(content)
    with pytest.raises(BadDataError, match=words):
        list_source(str(pictures / "list.csv"), IngestSettings(encoding="cp1252"))


def test_an_image_that_is_named_twice(pictures):
    listing = listed(
        pictures,
        "path,label,split\n1.jpg,a,train\n./1.jpg,a,\n1.jpg,b,train\n1.jpg,a,test\n2.jpg,b,test\n",
    )
    assert entries(listing) == {
        ("1.jpg", "a", "train"),
        ("1.jpg", "b", "train"),
        ("2.jpg", "b", "test"),
    }
    assert [(one.name, one.code, one.fate) for one in listing.left_out] == [
        ("./1.jpg", "duplicate_row", "passed_over"),
        ("1.jpg", "two_splits", "refused"),
    ]


def test_the_group_is_a_column_or_a_pattern(pictures):
    text = "path,label,Patient\n1.jpg,a,p1\n2.jpg,a, p1 \n3.jpg,b,\n4.jpg,b,p2\n"

    def groups(group: str) -> dict[str, str]:
        return {file.name: file.group for file in listed(pictures, text, group=group).files}

    assert groups("") == dict.fromkeys(groups(""), "")
    assert groups("patient") == {"1.jpg": "p1", "2.jpg": "p1", "3.jpg": "", "4.jpg": "p2"}
    assert groups(r"^([12])") == {"1.jpg": "1", "2.jpg": "2", "3.jpg": "", "4.jpg": ""}


def test_rows_that_are_ignored_are_passed_over(pictures):
    listing = listed(pictures, "path,label\n1.jpg,a\n2.jpg,b\n", ignore=("2*",))
    assert labels(listing) == {"1.jpg": "a"}
    assert [(one.code, one.fate) for one in listing.left_out] == [("ignored", "passed_over")]


def test_columns_for_slices_travel_with_their_images(pictures):
    text = "path,label,Site,Age\n1.jpg,a, north ,7\n2.jpg,b,,8\n"
    (pictures / "list.csv").write_text(text)
    listing = list_source(str(pictures / "list.csv"), IngestSettings(), ("site", "age"))
    assert [file.slices for file in listing.files] == [("north", "7"), ("", "8")]
    rows = [{"path": "1.jpg", "label": "a", "Site": 3}, {"path": "2.jpg", "label": "b"}]
    rows.append({"path": "3.jpg", "label": "b", "site": ["x"]})
    (pictures / "list.jsonl").write_text(json_lines(*rows))
    listing = list_source(str(pictures / "list.jsonl"), IngestSettings(), ("SITE",))
    assert [file.slices for file in listing.files] == [("3",), ("",)]
    assert codes(listing) == {"3.jpg": "bad_slice"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("list.csv", "path,label,site\n1.jpg,a,x\n"),
        ("list.jsonl", '{"path": "1.jpg", "label": "a", "site": "x"}\n'),
    ],
)
def test_a_column_for_slices_that_is_missing_is_bad_usage(pictures, name, text):
    (pictures / name).write_text(text)
    with pytest.raises(UsageError, match=r"'sight' is no column of .*label, path, site.* site\?"):
        list_source(str(pictures / name), IngestSettings(), ("sight",))


def test_a_column_for_slices_that_stands_there_twice_is_bad_data(pictures):
    (pictures / "list.csv").write_text("path,label,site,site\n1.jpg,a,x,y\n")
    with pytest.raises(BadDataError, match="two columns site"):
        list_source(str(pictures / "list.csv"), IngestSettings(), ("site",))


def test_a_folder_has_no_columns(pictures):
    with pytest.raises(UsageError, match="manifest or TFRecords"):
        list_source(str(pictures), IngestSettings(), ("site",))
