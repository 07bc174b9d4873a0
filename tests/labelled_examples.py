"""Examples artifacts made by hand, for tests of components."""

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import tensorflow as tf

from models.data import example_schema


def record_of(values: Mapping[str, bytes]) -> bytes:
    """A tf.Example of these features, as a file of records holds it."""
    feature = {
        key: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
        for key, value in values.items()
    }
    return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()


def write_examples(
    uri: Path,
    splits: dict[str, list[tuple[str, str, bytes]]],
    columns: Mapping[str, Sequence[str]] | None = None,
) -> None:
    """Writes records of (label, name, image).

    Args:
        uri: directory of the Examples.
        splits: records by split.
        columns: values of the user's columns, of the images of each split in their order.
    """
    for split, images in splits.items():
        (uri / f"Split-{split}").mkdir(parents=True)
        with tf.io.TFRecordWriter(str(uri / f"Split-{split}" / "data-00000-of-00001")) as writer:
            for row, (label, name, image) in enumerate(images):
                digest = hashlib.sha256(image).hexdigest()
                values = {
                    example_schema.IMAGE: image,
                    example_schema.LABEL: label.encode(),
                    example_schema.NAME: name.encode(),
                    example_schema.SHA256: digest.encode(),
                }
                for column, told in (columns or {}).items():
                    values[example_schema.slice_feature(column)] = told[row].encode()
                writer.write(record_of(values))
