"""ImageExampleGen through TFX: its driver, its cache, Beam, and what it writes."""

import shutil
from collections import Counter
from itertools import pairwise
from pathlib import Path

import apache_beam as beam
import numpy as np
import pytest
import tensorflow as tf
from blessed_model import bless_a_model_of
from ingest_runs import Ingest, ingest_in
from PIL import Image

from components.example_gen import executor
from components.example_gen.shards import cut_shards
from components.image_register import read_register
from models import progress
from models.data import example_schema
from models.data.example_reader import derived_features, read_records
from models.data.sample_depth import read_sample_range
from models.errors import BadDataError
from pipeline.beam.beam_settings import BeamSettings


@pytest.fixture
def ingest(tmp_path: Path) -> Ingest:
    """Runs the component in a workspace of the test's own."""
    return ingest_in(tmp_path)


def test_writes_every_image_once_in_mixed_order(ingest, digits_folder):
    heard: list[progress.Progress] = []
    with progress.listening(heard.append):
        found = ingest(digits_folder)
    records = [
        record
        for split in example_schema.SPLITS
        for record in read_records(str(found.examples), split)
    ]
    assert sorted(record.name for record in records) == sorted(
        str(path.relative_to(digits_folder)) for path in digits_folder.glob("*/*.png")
    )
    for record in records:
        assert record.image == (digits_folder / record.name).read_bytes()
        assert record.label == record.name.split("/")[0]
    labels = [record.label for record in read_records(str(found.examples), "train")]
    neighbours_alike = np.mean([a == b for a, b in pairwise(labels)])
    assert neighbours_alike < 0.3
    assert (heard[-1].done, heard[-1].total, heard[-1].unit) == (200, 200, "images")
    assert found.summary["images"] == 200
    assert found.summary["split_source"] == "assigned"
    assert found.summary["sample_range"] is None
    assert read_sample_range(str(found.examples)) is None
    assert found.summary["classes"] == {str(label): 20 for label in range(10)}
    columns = derived_features(str(found.examples), "test")
    assert set(columns["width"]) == {32}
    assert set(columns["channels"]) == {1}
    assert np.all((columns["brightness_mean"] > 0) & (columns["brightness_mean"] < 1))


def test_beam_reads_what_was_written_uncompressed(ingest, digits_folder):
    found = ingest(digits_folder)
    with beam.Pipeline(argv=BeamSettings().arguments) as pipeline:
        _ = (
            pipeline
            | beam.io.ReadFromTFRecord(f"{found.examples}/Split-*/*")
            | beam.Map(lambda record: len(tf.train.Example.FromString(record).features.feature))
            | beam.combiners.Count.PerElement()
            | beam.Map(str)
            | beam.io.WriteToText(str(found.quarantine / "count"), shard_name_template="")
        )
    assert (found.quarantine / "count").read_text().strip() == "(14, 200)"


def test_is_cached_until_the_content_changes(ingest, digits):
    assert ingest(digits).executions == 1
    for path in digits.glob("*/*.png"):
        path.touch()
    assert ingest(digits).executions == 1
    (digits / "0" / "new.png").write_bytes((digits / "1" / "0001.png").read_bytes())
    again = ingest(digits)
    assert again.executions == 2
    assert again.summary["images"] == 201
    assert ingest(digits, seed=1).executions == 3


def test_is_the_same_twice(ingest, digits_folder, tmp_path):
    first = ingest(digits_folder)
    bytes_of = {p.name: p.read_bytes() for p in first.examples.glob("Split-train/*")}
    shutil.rmtree(tmp_path / "artifacts")
    (tmp_path / "metadata.db").unlink()
    again = ingest(digits_folder)
    assert {p.name: p.read_bytes() for p in again.examples.glob("Split-train/*")} == bytes_of


def test_bad_files_go_to_quarantine(ingest, digits):
    whole = (digits / "3" / "0003.png").read_bytes()
    (digits / "3" / "cut.png").write_bytes(whole[:-60])
    (digits / "3" / "empty.jpg").touch()
    (digits / "3" / "text.jpg").write_text("not a picture")
    (digits / "3" / ".DS_Store").write_text("hidden")
    Image.new("CMYK", (40, 40)).save(digits / "3" / "print ü\n.jpg")
    found = ingest(digits)
    assert found.refused == {
        "3/cut.png": "truncated",
        "3/empty.jpg": "empty",
        "3/text.jpg": "not_an_image",
        "3/.DS_Store": "hidden",
    }
    assert found.summary["passed_over"] == 1
    assert found.summary["quarantined"] == 3
    assert found.summary["images"] == 201
    assert found.summary["converted"] == {"cmyk": 1}
    names = [name for split in example_schema.SPLITS for name in found.names(split)]
    assert "3/print ü\\n.jpg" in names


def test_a_small_class_keeps_every_split_when_some_of_it_is_refused(ingest, digits):
    for path in sorted((digits / "7").iterdir())[3:]:
        path.write_bytes(path.read_bytes()[:-50])
    found = ingest(digits)
    assert len(found.refused) == 17
    for split in example_schema.SPLITS:
        labels = Counter(r.label for r in read_records(str(found.examples), split))
        assert labels["7"] == 1
    assert found.summary["images"] == 183


def test_the_users_split_is_kept(ingest, digits, tmp_path):
    data = tmp_path / "own"
    for path in sorted(digits.glob("*/*.png")):
        split = "test" if int(path.stem) % 4 == 0 else "train"
        target = data / split / path.parent.name / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(path.read_bytes())
    found = ingest(data)
    assert found.summary["split_source"] == "user"
    assert found.summary["carved"] == ["validation"]
    assert all(name.startswith("test/") for name in found.names("test"))
    for split in ("train", "validation"):
        assert all(name.startswith("train/") for name in found.names(split))


def test_its_own_tfrecords_can_be_ingested_again(ingest, digits_folder, tmp_path):
    first = ingest(digits_folder)
    data = tmp_path / "records"
    for split in example_schema.SPLITS:
        (data / split).mkdir(parents=True)
        for path in (first.examples / f"Split-{split}").iterdir():
            shutil.copy(path, data / split / f"{path.name}.tfrecord")
    again = ingest(data)
    assert again.summary["splits"] == first.summary["splits"]
    assert sorted(again.names("test")) == sorted(first.names("test"))
    assert not list((tmp_path / "cache").glob("unpacked-*"))


def test_the_newest_span_is_ingested(ingest, digits, tmp_path):
    (tmp_path / "spans").mkdir()
    shutil.copytree(digits, tmp_path / "spans/day-1")
    pattern = tmp_path / "spans" / "day-{SPAN}"
    assert ingest(pattern).summary["images"] == 200
    shutil.rmtree(digits / "9")
    shutil.copytree(digits, tmp_path / "spans/day-2")
    assert ingest(pattern).summary["images"] == 180


def _leave_one_class(data: Path) -> None:
    for number in range(1, 10):
        shutil.rmtree(data / str(number))


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (_leave_one_class, "All 20 images .* '0'"),
        (lambda data: [p.write_text(str(p)) for p in data.glob("*/*")], "Every image was refused"),
        (shutil.rmtree, "There is nothing at"),
        (
            lambda data: [p.write_text(str(p)) for p in data.glob("*/*") if p.parent.name != "4"],
            "Only the class '4' is left",
        ),
    ],
)
def test_says_why_data_cannot_be_learnt_from(ingest, digits, spoil, words):
    spoil(digits)
    with pytest.raises(BadDataError, match=words):
        ingest(digits)


def test_names_the_class_of_which_every_image_was_refused(ingest, digits):
    for path in (digits / "4").iterdir():
        path.write_bytes(b"")
    done = ingest(digits)
    assert done.summary["lost_classes"] == ["4"]
    assert set(done.summary["classes"]) == set("012356789")


def test_a_group_that_a_pattern_names_lies_on_one_side(ingest, digits, tmp_path):
    for path in sorted(digits.glob("*/*.png")):
        number = sorted(path.parent.glob("*.png")).index(path)
        target = tmp_path / "archive/seen" / path.parent.name / f"p{number // 4}-{path.name}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    (tmp_path / "archive/notes.txt").write_text("hello")
    found = ingest(tmp_path / "archive", group=r"\d/p\d+")
    assert found.summary["layout"] == "a folder per class, in seen/"
    assert (found.summary["offered"], found.summary["passed_over"]) == (201, 1)
    sides: dict[str, set[str]] = {}
    for split in example_schema.SPLITS:
        for record in read_records(str(found.examples), split):
            assert record.group == record.name.removeprefix("seen/").partition("-")[0]
            sides.setdefault(record.group, set()).add(split)
    assert len(sides) == 50
    assert all(len(both) == 1 for both in sides.values())
    with pytest.raises(BadDataError, match="matches none of the 200 paths"):
        ingest(tmp_path / "archive", group="patient")


def test_a_file_that_changes_under_way_stops_the_run(ingest, digits, monkeypatch):
    def change_first(*arguments):
        (digits / "0" / "0000.png").write_bytes(b"other")
        return original(*arguments)

    original = cut_shards
    monkeypatch.setattr(executor, "cut_shards", change_first)
    with pytest.raises(BadDataError, match="changed while it was being ingested"):
        ingest(digits)


def test_columns_of_a_manifest_travel_with_the_images(ingest, digits_folder, tmp_path):
    paths = sorted(digits_folder.glob("*/*.png"))
    rows = [f"{path},{path.parent.name},camera {number % 2}" for number, path in enumerate(paths)]
    manifest = tmp_path / "list.csv"
    manifest.write_text("\n".join(["path,label,camera", *rows]))
    plain = ingest(manifest)
    sliced = ingest(manifest, columns='["camera"]')
    feature = example_schema.slice_feature("camera")
    cameras = derived_features(str(sliced.examples), "train", [feature])
    expected = {str(path): f"camera {number % 2}" for number, path in enumerate(paths)}
    assert {name: expected[name] for name in cameras["name"]} == dict(
        zip(cameras["name"], cameras[feature], strict=True)
    )
    assert sorted(plain.names("test")) == sorted(sliced.names("test"))
    manifest.write_text(manifest.read_text().replace("camera 1", "camera 3"))
    assert ingest(manifest, columns='["camera"]').executions == 3


def test_a_span_of_one_new_class_is_joined_by_what_the_last_model_learned(ingest, digits, tmp_path):
    span = tmp_path / "span"
    shutil.move(digits / "9", span / "9")
    first = ingest(digits)
    bless_a_model_of(first.examples, tmp_path / "metadata.db")
    with pytest.raises(BadDataError, match="at least two classes"):
        ingest(span)
    second = ingest(span, replay=4)
    assert second.summary["classes"] == {**{str(label): 4 for label in range(9)}, "9": 20}
    assert (second.summary["images"], second.summary["replayed"]) == (56, 36)
    for split in example_schema.SPLITS:
        brought = {name for name in second.names(split) if name.startswith("replayed/")}
        assert brought <= {f"replayed/{name}" for name in first.names(split)}
        assert len(second.names(split)) == second.summary["splits"][split]
    register = read_register(second.examples)
    assert register is not None
    assert register.counts() == second.summary["classes"]
    assert ingest(span, replay=4).executions == second.executions
