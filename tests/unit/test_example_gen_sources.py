import gzip
import json
from pathlib import Path

import pytest
import tensorflow as tf

from components.example_gen.settings import IngestSettings
from components.example_gen.sources.entries import (
    LabelledImage,
    Listing,
    canonical_label,
    printable,
)
from components.example_gen.sources.listing import list_source, resolve
from components.example_gen.sources.tfrecord import unpack
from models.errors import BadDataError


def put(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode("utf-8", "surrogateescape"))


def entries(listing: Listing) -> set[tuple[str, str, str | None]]:
    return {(file.name, file.label, file.split) for file in listing.files}


def refused(listing: Listing) -> dict[str, str]:
    return {one.name: one.code for one in listing.left_out}


def test_composed_and_decomposed_accents_are_one_class():
    assert canonical_label("e\u0301te\u0301 ") == canonical_label("été")
    assert printable("tab\there") == "tab\\there"


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
    assert refused(listing) == {"list.jsonl:3": "bad_row", "list.jsonl:4": "bad_row"}


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("a.csv", "file,class\n1.jpg,cat\n", "lacks the column path and label.*found file, class"),
        ("a.csv", "", "found an empty file"),
        ("a.csv", "path,label\n", "has no rows"),
        ("a.csv", "path,label\nx.jpg,cat\ny.jpg,dog\n", "None of the 2 rows.*No such file"),
        ("a.jsonl", '{"file": "x.jpg"}\n', "None of the 1 rows.*names no image"),
        ("a.txt", "hello", "is no folder"),
    ],
)
def test_says_what_a_manifest_lacks(tmp_path, name, text, words):
    (tmp_path / name).write_text(text)
    with pytest.raises(BadDataError, match=words):
        list_source(str(tmp_path / name), IngestSettings())


def example(**features: bytes | int) -> bytes:
    record = tf.train.Example()
    for key, value in features.items():
        feature = record.features.feature[key.replace("__", "/")]
        values = feature.bytes_list if isinstance(value, bytes) else feature.int64_list
        values.value.append(value)
    return record.SerializeToString()


def write_records(path: Path, records: list[bytes], compression: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for record in records:
            writer.write(record)


def unpacked(listing: Listing, scratch: Path) -> tuple[list[LabelledImage], dict[str, str]]:
    scratch.mkdir()
    images, refusals = unpack(listing.files, scratch)
    return images, {one.name: one.code for one in refusals}


def test_tfrecords_of_both_kinds_of_features(tmp_path):
    write_records(
        tmp_path / "data/flowers-train.tfrecord-00000-of-00001",
        [
            example(image=b"first", label=b"rose", name=b"same"),
            example(image__encoded=b"second", image__class__text=b"lily", name=b"same"),
            example(image=b"third", label=3),
            example(image=b"fourth"),
            example(label=b"rose"),
            b"no proto",
        ],
    )
    write_records(
        tmp_path / "data/flowers-test.tfrecord.gz", [example(image=b"x", label=1)], "GZIP"
    )
    listing = list_source(str(tmp_path / "data"), IngestSettings())
    assert listing.kind == "tfrecord"
    images, refusals = unpacked(listing, tmp_path / "scratch")
    found = {}
    for image in images:
        blob = Path(image.path).read_bytes()
        found[blob[image.offset : image.offset + image.size]] = (image.label, image.split)
    assert found == {
        b"first": ("rose", "train"),
        b"second": ("lily", "train"),
        b"third": ("3", "train"),
        b"x": ("1", "test"),
    }
    assert len({image.name for image in images}) == 4
    assert sorted(refusals.values()) == ["corrupt", "no_image", "no_label"]


def test_a_damaged_tfrecord_gives_what_lies_before_the_damage(tmp_path):
    path = tmp_path / "a.tfrecord"
    write_records(path, [example(image=b"one", label=b"a"), example(image=b"two", label=b"b")])
    path.write_bytes(path.read_bytes()[:-5])
    images, refusals = unpacked(list_source(str(path), IngestSettings()), tmp_path / "scratch")
    assert [image.label for image in images] == ["a"]
    assert refusals == {"a.tfrecord": "corrupt"}


def test_a_gzip_archive_called_tfrecord_is_named(tmp_path):
    path = tmp_path / "a.tfrecord"
    path.write_bytes(gzip.compress(b"something"))
    images, refusals = unpacked(list_source(str(path), IngestSettings()), tmp_path / "scratch")
    assert images == []
    assert refusals == {"a.tfrecord": "corrupt"}


def test_the_newest_span_and_version_are_taken(tmp_path):
    for span, version in ((1, 1), (2, 1), (2, 10), (2, 9)):
        put(tmp_path, f"day-{span}/v{version}/cat/1.jpg")
    location = resolve(str(tmp_path / "day-{SPAN}/v{VERSION}"))
    assert location.path == str(tmp_path / "day-2/v10")
    assert (location.span, location.version) == (2, 10)


@pytest.mark.parametrize("path", ["", "nowhere", "day-{SPAN}"])
def test_says_that_nothing_lies_there(tmp_path, path):
    with pytest.raises(BadDataError, match=r"No data was named|nothing at|No span"):
        resolve(path and str(tmp_path / path))
