import os
import struct
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import google_crc32c
import pytest
import tensorflow as tf

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.entries import LabelledImage, LeftOut
from components.example_gen.sources.listing import list_source
from components.example_gen.sources.tfrecord import unpack
from models.errors import UsageError

Value = bytes | int | float


def example(**features: Value | list[Value]) -> bytes:
    record = tf.train.Example()
    for key, given in features.items():
        feature = record.features.feature[key.replace("__", "/")]
        for value in given if isinstance(given, list) else [given]:
            kinds = {bytes: feature.bytes_list, int: feature.int64_list, float: feature.float_list}
            kinds[type(value)].value.append(value)
    return record.SerializeToString(deterministic=True)


def write_records(path: Path, records: list[bytes], compression: str = "") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(path), compression) as writer:
        for record in records:
            writer.write(record)


def unpacked(path: Path, **given) -> tuple[list[LabelledImage], dict[str, LeftOut]]:
    settings = IngestSettings(**given)
    listing = list_source(str(path), settings)
    assert listing.kind == "tfrecord"
    with TemporaryDirectory() as scratch:
        images, left_out = unpack(listing.files, Path(scratch), settings)
        pixels = [Path(one.path).read_bytes()[one.offset :][: one.size] for one in images]
    assert [sha256(content).hexdigest() for content in pixels] == [one.sha256 for one in images]
    left_out += listing.left_out
    assert len({one.name for one in left_out}) == len(left_out)
    return images, {one.name: one for one in left_out}


def labels(images: list[LabelledImage]) -> list[str]:
    return [image.label for image in images]


def fates(left_out: dict[str, LeftOut]) -> dict[str, tuple[str, str]]:
    return {name: (one.code, one.fate) for name, one in left_out.items()}


PAIR = [example(image=b"one", label=b"a"), example(image=b"two", label=b"b")]


def test_tfrecords_of_both_kinds_of_features(tmp_path):
    write_records(
        tmp_path / "flowers-train.tfrecord-00000-of-00001",
        [
            example(image=b"first", label=b"rose", name=b"same"),
            example(image__encoded=b"second", image__class__text=b"lily", name=b"same"),
            example(image=b"third", label=3),
            example(image=b"fourth"),
            example(label=b"rose"),
            b"no proto",
        ],
    )
    write_records(tmp_path / "flowers-test.tfrecord.gz", [example(image=b"x", label=1)], "GZIP")
    images, left_out = unpacked(tmp_path)
    assert {(image.size, image.label, image.split) for image in images} == {
        (5, "rose", "train"),
        (6, "lily", "train"),
        (5, "3", "train"),
        (1, "1", "test"),
    }
    assert [one.code for one in left_out.values()] == ["no_label", "no_image", "corrupt"]


@pytest.mark.parametrize(
    ("features", "label"),
    [
        ({"image__class__text": b"", "image__class__label": 7}, "7"),
        ({"image__class__text": b"cat", "image__class__label": 7}, "cat"),
        ({"label": [], "class": b"cat"}, "cat"),
        ({"label": 0}, "0"),
    ],
)
def test_the_label_of_a_record(tmp_path, features, label):
    write_records(tmp_path / "a.tfrecord", [example(image=b"x", **features)])
    images, left_out = unpacked(tmp_path / "a.tfrecord")
    assert (labels(images), left_out) == ([label], {})


@pytest.mark.parametrize(
    ("record", "code", "words"),
    [
        (example(image=b"x", label=[1, 2]), "several_labels", "label holds 2 values; one label"),
        (example(image=b"x", image__class__text=[b"a", b"b"]), "several_labels", "2 values"),
        (example(image=b"x", label=1.0), "bad_label", "number with decimals"),
        (example(image=b"x", label=b"caf\xe9"), "bad_label", "not UTF-8"),
        (example(image=b"x", label=b"nan"), "no_label", "'nan'"),
        (example(image=b"x", image__class__text=b""), "no_label", "expected the label in label"),
        (example(image=[b"x", b"y"], label=1), "several_images", "image holds 2 images"),
        (example(image=[1, 2], label=1), "no_image", "found image, label"),
        (example(), "no_image", "found no features"),
    ],
)
def test_a_record_that_is_refused(tmp_path, record, code, words):
    write_records(tmp_path / "a.tfrecord", [record])
    images, left_out = unpacked(tmp_path / "a.tfrecord")
    assert images == []
    assert fates(left_out) == {"a.tfrecord#0": (code, "refused")}
    assert words in left_out["a.tfrecord#0"].reason


def test_a_sequence_is_named(tmp_path):
    sequence = tf.train.SequenceExample()
    sequence.context.feature["label"].int64_list.value.append(1)
    sequence.feature_lists.feature_list["image"].feature.add().bytes_list.value.append(b"x")
    write_records(tmp_path / "a.tfrecord", [sequence.SerializeToString(deterministic=True)])
    _, left_out = unpacked(tmp_path / "a.tfrecord")
    assert "SequenceExample" in left_out["a.tfrecord#0"].reason


def test_labels_that_join_others_are_refused(tmp_path):
    records = [example(image=b"x", label=label) for label in (b"a", b"b", b"a,b")]
    write_records(tmp_path / "a.tfrecord", records)
    images, left_out = unpacked(tmp_path / "a.tfrecord")
    assert labels(images) == ["a", "b"]
    assert fates(left_out) == {"a.tfrecord#2": ("several_labels", "refused")}


@pytest.mark.parametrize("compression", ["", "GZIP", "ZLIB"])
def test_every_cut_and_every_flipped_bit_shows(tmp_path, compression):
    path = tmp_path / "a.tfrecord"
    write_records(path, PAIR, compression)
    whole = path.read_bytes()
    borders = {len(whole), len(whole) // 2} if not compression else {len(whole)}
    for size in set(range(len(whole))) - borders:
        path.write_bytes(whole[:size])
        images, left_out = unpacked(path)
        assert labels(images) in ([], ["a"], ["a", "b"])
        assert fates(left_out) == {"a.tfrecord": ("damaged_container", "unknown")}
    header = 10 if compression == "GZIP" else 0  # time, name and system are nobody's concern
    for at in range(header, len(whole)):
        flipped = bytearray(whole)
        flipped[at] ^= 1
        path.write_bytes(flipped)
        images, left_out = unpacked(path)
        assert labels(images) in ([], ["a"], ["a", "b"])
        assert fates(left_out) == {"a.tfrecord": ("damaged_container", "unknown")}


def test_a_damaged_file_says_how_many_records_were_read(tmp_path):
    path = tmp_path / "a.tfrecord"
    write_records(path, PAIR)
    path.write_bytes(path.read_bytes()[:-5])
    _, left_out = unpacked(path)
    reason = left_out["a.tfrecord"].reason
    assert "damaged after record 1: 1 records were read, what comes behind them is" in reason
    path.write_bytes(b"not a record at all")
    _, left_out = unpacked(path)
    assert "none of its records can be read" in left_out["a.tfrecord"].reason


def test_empty_files(tmp_path):
    (tmp_path / "cut.tfrecord").touch()
    write_records(tmp_path / "none.tfrecord.gz", [], "GZIP")
    write_records(tmp_path / "some.tfrecord", PAIR)
    _, left_out = unpacked(tmp_path)
    assert fates(left_out) == {
        "cut.tfrecord": ("damaged_container", "unknown"),
        "none.tfrecord.gz": ("no_records", "passed_over"),
    }


def test_a_length_that_nobody_wrote_is_damage(tmp_path):
    head = struct.pack("<Q", 1 << 60)
    checksum = google_crc32c.value(head)
    masked = ((checksum >> 15 | checksum << 17) + 0xA282EAD8) & 0xFFFFFFFF
    (tmp_path / "a.tfrecord").write_bytes(head + struct.pack("<I", masked) + b"x" * 99)
    _, left_out = unpacked(tmp_path / "a.tfrecord")
    assert "too many for an image" in left_out["a.tfrecord"].reason


@pytest.mark.parametrize("compression", ["", "GZIP", "ZLIB"])
@pytest.mark.parametrize(
    "name", ["a.tfrecord", "a.tfrec", "a.TFRECORDS", "train-00000-of-00001", "train", "a.gz", "a.b"]
)
def test_files_are_known_by_their_content(tmp_path, name, compression):
    write_records(tmp_path / "data" / name, PAIR, compression)
    for path in (tmp_path / "data", tmp_path / "data" / name):
        images, left_out = unpacked(path)
        assert (labels(images), left_out) == (["a", "b"], {})


def test_what_lies_beside_the_records_is_passed_over(tmp_path):
    write_records(tmp_path / "train/train-00000-of-00001", PAIR)
    for name in (
        "dataset_info.json",
        "a-1-of-9.txt",
        "train/notes",
        ".git/x",
        "train/deep/x.tfrecord",
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("{}")
    images, left_out = unpacked(tmp_path)
    assert [image.split for image in images] == ["train", "train"]
    assert fates(left_out) == {
        ".git/": ("hidden", "passed_over"),
        "dataset_info.json": ("no_records", "passed_over"),
        "a-1-of-9.txt": ("no_records", "passed_over"),
        "train/notes": ("no_records", "passed_over"),
        "train/deep/": ("no_records", "passed_over"),
    }


def test_missing_and_damaged_shards(tmp_path):
    for index in (0, 3):
        write_records(tmp_path / f"a-{index:05d}-of-00006", PAIR)
    (tmp_path / "a-00004-of-00006").touch()
    (tmp_path / "a-00005-of-00006").write_bytes(b"zeros")
    images, left_out = unpacked(tmp_path)
    assert len(images) == 4
    assert fates(left_out) == {
        "a-00001-of-00006": ("missing_shard", "unknown"),
        "a-00004-of-00006": ("damaged_container", "unknown"),
        "a-00005-of-00006": ("damaged_container", "unknown"),
    }
    assert "2 of the 6 files" in left_out["a-00001-of-00006"].reason


@pytest.mark.parametrize("name", ["part-0000{}", "train/{}", "train-{}.bin", "x{}-00000-of-00001"])
def test_names_that_differ_in_numbers_alone_are_of_one_set(tmp_path, name):
    write_records(tmp_path / name.format(0), PAIR)
    (tmp_path / name.format(1)).touch()
    (tmp_path / name.format(2)).write_bytes(b"zeros")
    (tmp_path / name.format(3)).symlink_to("nowhere")
    os.mkfifo(tmp_path / name.format(4))
    (tmp_path / (name.format(5) + ".log")).touch()
    images, left_out = unpacked(tmp_path)
    assert len(images) == 2
    assert fates(left_out) == {
        **{name.format(at): ("damaged_container", "unknown") for at in (1, 2, 3, 4)},
        name.format(5) + ".log": ("no_records", "passed_over"),
    }
    assert "No such file" in left_out[name.format(3)].reason


def test_a_split_whose_only_file_is_damaged_does_not_vanish(tmp_path):
    write_records(tmp_path / "train/0", PAIR)
    (tmp_path / "test").mkdir()
    (tmp_path / "test/0").write_bytes(b"zeros")
    assert fates(unpacked(tmp_path)[1]) == {"test/0": ("damaged_container", "unknown")}


def test_ignored_shards_and_links_out(tmp_path):
    write_records(tmp_path / "data/a-00000-of-00002", PAIR)
    write_records(tmp_path / "data/a-00001-of-00002", PAIR)
    write_records(tmp_path / "other.tfrecord", PAIR)
    (tmp_path / "data/link.tfrecord").symlink_to(tmp_path / "other.tfrecord")
    images, left_out = unpacked(tmp_path / "data", ignore=("*-00001-*",))
    assert len(images) == 2
    assert fates(left_out) == {
        "a-00001-of-00002": ("ignored", "passed_over"),
        "link.tfrecord": ("link_outside", "unknown"),
    }
    images, _ = unpacked(tmp_path / "data", follow_links=True)
    assert len(images) == 6


def test_a_folder_of_images_with_a_stray_record_file_stays_one(tmp_path):
    for name in ("cat/1.jpg", "dog/deep/2.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(name)
    write_records(tmp_path / "cat/stray.tfrecord", PAIR)
    assert list_source(str(tmp_path), IngestSettings()).kind == "folder"


def test_the_group_is_a_feature_or_a_pattern(tmp_path):
    records = [
        example(image=b"x", label=1, patient=b"p1", name=b"a1.jpg"),
        example(image=b"y", label=1, name=b"b1.jpg"),
    ]
    write_records(tmp_path / "a.tfrecord", records)

    def groups(group: str) -> list[str]:
        images, _ = unpacked(tmp_path / "a.tfrecord", group=group)
        return [image.group for image in images]

    assert groups("") == ["", ""]
    assert groups("patient") == ["p1", ""]
    assert groups("^([ab])") == ["a", "b"]


def test_features_for_slices_travel_with_their_images(tmp_path):
    records = [
        example(image=b"x", label=1, site=b"north", age=3),
        example(image=b"y", label=1, age=4),
    ]
    write_records(tmp_path / "a.tfrecord", records)
    listing = list_source(str(tmp_path / "a.tfrecord"), IngestSettings())
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    images, _ = unpack(listing.files, scratch, IngestSettings(), ("site", "age"))
    assert [image.slices for image in images] == [("north", "3"), ("", "4")]
    with pytest.raises(UsageError, match=r"'Site' is no feature of any record.* site\?"):
        unpack(listing.files, scratch, IngestSettings(), ("Site",))


def test_features_of_further_labels_hold_one_label_or_none(tmp_path):
    records = [
        example(image=b"x", label=1, grade=b"good"),
        example(image=b"y", label=1, grade=7),
        example(image=b"z", label=1, grade=b""),
        example(image=b"v", label=1),
        example(image=b"w", label=1, grade=[1, 2]),
    ]
    write_records(tmp_path / "a.tfrecord", records)
    settings = IngestSettings(further_labels=("grade",))
    listing = list_source(str(tmp_path / "a.tfrecord"), settings)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    images, left_out = unpack(listing.files, scratch, settings, ("grade",))
    assert [image.slices for image in images] == [("good",), ("7",), ("",), ("",)]
    assert [(one.code, one.reason[:20]) for one in left_out] == [
        ("several_labels", "grade holds 2 values")
    ]
