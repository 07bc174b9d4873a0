"""Reading some records alone."""

from pathlib import Path

import pytest
import tensorflow as tf
from labelled_examples import record_of

from models.data import example_schema
from models.data.example_reader import read_records
from models.data.record_places import count_records, read_places, record_places
from models.errors import UsageError


def _example(number: int) -> bytes:
    values = {
        example_schema.IMAGE: bytes(number),
        example_schema.LABEL: "naïve".encode(),
        example_schema.NAME: f"{number}.png".encode(),
        example_schema.SHA256: f"{number:064x}".encode(),
    }
    if number % 2:
        values[example_schema.GROUP] = b"odd"
    return record_of(values)


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    folder = tmp_path / "Split-train"
    folder.mkdir()
    for name, numbers in {"b": range(3), "a": range(3, 9), "empty": range(0)}.items():
        with tf.io.TFRecordWriter(str(folder / name)) as writer:
            for number in numbers:
                writer.write(_example(number))
    return tmp_path


def test_places_are_those_of_the_records_in_their_order(examples: Path) -> None:
    places = list(record_places(str(examples), "train"))
    records = list(read_records(str(examples), "train"))
    assert len(records) == 9
    assert list(read_places(places)) == records
    assert list(read_places([places[7], places[2], places[0]])) == [
        records[7],
        records[2],
        records[0],
    ]
    assert count_records(str(examples), "train") == 9
    assert not list(record_places(str(examples), "test"))


def test_a_place_without_a_record_is_refused(examples: Path) -> None:
    place = list(record_places(str(examples), "train"))[4]
    with pytest.raises(ValueError, match="no record"):
        list(read_places([place._replace(offset=place.offset + 3)]))


def test_compressed_files_are_refused(examples: Path) -> None:
    (examples / "Split-train" / "a").rename(examples / "Split-train" / "a.gz")
    with pytest.raises(UsageError, match=r"a\.gz is compressed"):
        list(record_places(str(examples), "train"))
