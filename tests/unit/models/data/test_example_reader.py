from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from models.data import example_schema
from models.data.example_reader import (
    ImageRecord,
    dataset,
    derived_features,
    read_records,
    split_files,
)
from models.data.record_places import count_records


def example(number: int) -> bytes:
    def text(value: str) -> tf.train.Feature:
        return tf.train.Feature(bytes_list=tf.train.BytesList(value=[value.encode()]))

    def integer(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=[value]))

    content = {
        example_schema.IMAGE: text(f"bytes {number}"),
        example_schema.LABEL: text("naïve"),
        example_schema.NAME: text(f'a "quoted" name/{number}\n.png'),
        example_schema.SHA256: text(f"{number:064x}"),
        example_schema.PHASH: text(f"{number:016x}"),
        example_schema.FORMAT: text("png"),
        example_schema.WIDTH: integer(number),
        example_schema.SHARPNESS: tf.train.Feature(
            float_list=tf.train.FloatList(value=[number / 4])
        ),
    }
    return tf.train.Example(features=tf.train.Features(feature=content)).SerializeToString()


@pytest.fixture
def examples_uri(tmp_path: Path) -> str:
    folder = tmp_path / "Split-train"
    folder.mkdir()
    for name, compression, numbers in (
        ("data-00000-of-00002", "", (0, 1)),
        ("data-00001-of-00002.gz", "GZIP", (2,)),
    ):
        with tf.io.TFRecordWriter(str(folder / name), compression) as writer:
            for number in numbers:
                writer.write(example(number))
    return str(tmp_path)


def test_records_come_in_the_order_of_the_files_whatever_their_compression(
    examples_uri: str,
) -> None:
    records = list(read_records(examples_uri, "train"))
    assert [record.image for record in records] == [b"bytes 0", b"bytes 1", b"bytes 2"]
    name = 'a "quoted" name/1\n.png'
    assert records[1] == ImageRecord(b"bytes 1", "naïve", name, f"{1:064x}")


def test_serialized_examples_and_their_count(examples_uri: str) -> None:
    assert list(dataset(examples_uri, "train").as_numpy_iterator()) == [
        example(number) for number in range(3)
    ]
    assert count_records(examples_uri, "train") == 3


def test_derived_features_are_columns(examples_uri: str) -> None:
    columns = derived_features(examples_uri, "train")
    assert set(example_schema.DERIVED) < set(columns)
    assert columns[example_schema.WIDTH].dtype == np.int64
    np.testing.assert_array_equal(columns[example_schema.WIDTH], [0, 1, 2])
    assert columns[example_schema.SHARPNESS].dtype == np.float32
    np.testing.assert_array_equal(columns[example_schema.SHARPNESS], [0, 0.25, 0.5])
    assert columns[example_schema.LABEL].tolist() == ["naïve"] * 3
    assert columns[example_schema.PHASH].tolist() == [f"{number:016x}" for number in range(3)]
    assert example_schema.IMAGE not in columns


def test_an_absent_split_is_empty(examples_uri: str) -> None:
    assert split_files(examples_uri, "test") == []
    assert list(read_records(examples_uri, "test")) == []
    assert count_records(examples_uri, "test") == 0
    assert derived_features(examples_uri, "test")[example_schema.WIDTH].shape == (0,)
