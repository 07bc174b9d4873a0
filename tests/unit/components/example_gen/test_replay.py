"""Images of the last blessed model's data that join those of a run."""

import hashlib
from collections import Counter
from pathlib import Path

import pytest
import tensorflow as tf
from labelled_examples import record_of

from components.example_gen.replay import (
    Replay,
    choose_replay,
    has_replayed,
    replayed_classes,
    write_replay,
)
from components.image_register import REGISTER_FILE, ImageRegister
from models.data import example_schema
from models.data.example_reader import read_records

SPLITS = example_schema.SPLITS


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def example(name: str, label: str, group: str) -> bytes:
    values = {
        example_schema.IMAGE: name,
        example_schema.LABEL: label,
        example_schema.NAME: name,
        example_schema.SHA256: digest(name),
        example_schema.GROUP: group,
    }
    return record_of({key: value.encode() for key, value in values.items()})


@pytest.fixture
def earlier(tmp_path: Path) -> str:
    """Examples of ten images each of the classes a, b and c, two in each of five groups."""
    folder = tmp_path / "earlier"
    rows = []
    for split in SPLITS:
        (folder / f"Split-{split}").mkdir(parents=True)
        with tf.io.TFRecordWriter(str(folder / f"Split-{split}" / "data")) as writer:
            for number in range(10):
                if SPLITS[max(0, number - 7)] == split:
                    for label in "abc":
                        name = f"{label}/{number}.png"
                        writer.write(example(name, label, f"{label}{number // 2}"))
                        rows.append((digest(name), split, label))
    ImageRegister.of(rows).save(folder / REGISTER_FILE)
    return str(folder)


def test_at_most_so_many_of_each_class_that_the_data_has_not_itself(earlier: str) -> None:
    own = {digest(f"a/{number}.png"): "a" for number in range(10)}
    found = choose_replay(earlier, 4, "abc", own)
    assert Counter(label for _, label in found.chosen.values()) == {"b": 4, "c": 4}
    assert found.classes == {"b", "c"}
    assert found == choose_replay(earlier, 4, "abc", own)
    assert choose_replay(earlier, 4, "b", own).classes == {"b"}


def test_images_of_classes_that_exchanged_their_names_follow_the_others(
    earlier: str, tmp_path: Path
) -> None:
    # Few of these are left, under each other's name.
    own = {
        digest(f"{label}/{number}.png"): other for label, other in ("ab", "ba") for number in (1, 2)
    }
    replay = choose_replay(earlier, 4, "abc", own)
    assert replay.names == {"a": "b", "b": "a"}
    for split in SPLITS:
        (tmp_path / f"Split-{split}").mkdir()
    written = write_replay(replay, str(tmp_path), [], ())
    records = [record for split in SPLITS for record in read_records(str(tmp_path), split)]
    was_of = {"a": "b", "b": "a", "c": "c"}
    assert Counter(record.label for record in records) == {"a": 4, "b": 4, "c": 4}
    assert all(record.name.startswith(f"replayed/{was_of[record.label]}/") for record in records)
    assert {label for _, _, label in written} == {*"abc"}
    # The same classes twice, of which nobody exchanged anything.
    same = {each: {"a": "b", "b": "a"}[label] for each, label in own.items()}
    assert choose_replay(earlier, 4, "abc", same).names == {}


def test_images_keep_their_split_and_class_and_get_a_name_of_their_own(
    earlier: str, tmp_path: Path
) -> None:
    now = tmp_path / "now"
    for split in SPLITS:
        (now / f"Split-{split}").mkdir(parents=True)
    written = write_replay(choose_replay(earlier, 99, "abc", {}), str(now), ["site"], ["b0"])
    assert len(written) == 28  # without the two of the group that the data has itself
    for split in SPLITS:
        before = {record.name: record for record in read_records(earlier, split)}
        records = list(read_records(str(now), split))
        assert len(records) == sum(place == split for _, place, _ in written)
        for record in records:
            old = before[record.name.removeprefix("replayed/")]
            assert record.name == f"replayed/{old.name}"
            assert (record.image, record.label, record.sha256) == (old.image, old.label, old.sha256)
            assert (record.sha256, split, record.label) in written
    ImageRegister.of(written).save(now / REGISTER_FILE)
    again = tmp_path / "again"
    for split in SPLITS:
        (again / f"Split-{split}").mkdir(parents=True)
    write_replay(choose_replay(str(now), 99, "abc", {}), str(again), [], ())
    assert all(record.name.count("replayed/") == 1 for record in read_records(str(again), "train"))


def test_that_images_were_replayed_is_seen_by_what_was_written(
    earlier: str, tmp_path: Path
) -> None:
    for split in SPLITS:
        (tmp_path / f"Split-{split}").mkdir()
    assert not has_replayed(str(tmp_path))
    groups = {f"{label}{number}" for label in "abc" for number in range(5)}
    chosen = choose_replay(earlier, 99, "abc", {})
    assert write_replay(chosen, str(tmp_path), [], groups) == []
    assert not has_replayed(str(tmp_path)), "all of them belong to groups of the data itself"
    write_replay(chosen, str(tmp_path), [], ())
    assert has_replayed(str(tmp_path))


def test_a_class_that_the_schema_has_no_longer_does_not_come_back(earlier: str) -> None:
    assert replayed_classes(earlier, ["a", "c", "new"]) == ["a", "c"]
    assert replayed_classes(earlier, None) == ["a", "b", "c"]


@pytest.mark.parametrize("uri", ["", "/gone"])
def test_without_an_earlier_model_nothing_is_replayed(uri: str, tmp_path: Path) -> None:
    assert replayed_classes(uri, None) == []
    assert choose_replay(uri, 5, ["a"], {}).chosen == {}
    assert write_replay(Replay(), str(tmp_path), [], ()) == []
