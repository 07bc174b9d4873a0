from pathlib import Path

import pytest
import tensorflow as tf

from models.data.class_labels import read_labels, sorted_labels
from models.errors import BadDataError


def write_vocabulary(path: Path, names: list[str]) -> None:
    options = tf.io.TFRecordOptions(compression_type="GZIP")
    with tf.io.TFRecordWriter(str(path), options) as writer:
        for name in names:
            writer.write(name.encode())


def test_the_order_is_that_of_the_bytes_whatever_the_order_in_the_file(tmp_path: Path) -> None:
    names = ["ö", "10", "2", "a,b", "Z", "line\nbreak", " ", "猫"]
    write_vocabulary(tmp_path / "one", names)
    write_vocabulary(tmp_path / "two", names[::-1])
    labels = read_labels(tmp_path / "one")
    assert labels == (" ", "10", "2", "Z", "a,b", "line\nbreak", "ö", "猫")
    assert read_labels(tmp_path / "two") == labels


def test_one_class_cannot_be_trained_on() -> None:
    with pytest.raises(BadDataError, match=r"at least two classes, but found 1: \['cat'\]"):
        sorted_labels([b"cat", b"cat"])
