"""The class names of a model, in the order of its outputs.

Class names are sorted by their UTF-8 bytes, everywhere: the class index is the position in that
order. It depends on the set of names alone, so that the same classes give the same indices
whatever their frequencies.
"""

from collections.abc import Iterable
from pathlib import Path

import tensorflow as tf

from models.errors import BadDataError


def sorted_labels(names: Iterable[bytes]) -> tuple[str, ...]:
    """Puts UTF-8 class names in the order of the model's outputs.

    Raises:
        BadDataError: there are fewer than two classes.

    >>> sorted_labels([b"dog", b"cat", b"Zebra", b"cat"])
    ('Zebra', 'cat', 'dog')
    """
    labels = tuple(name.decode() for name in sorted(set(names)))
    if len(labels) < 2:
        raise BadDataError(
            f"Training needs at least two classes, but found {len(labels)}: {list(labels)}. "
            "Put the images of each class in a folder of its own."
        )
    return labels


def read_labels(path: str | Path) -> tuple[str, ...]:
    """Reads a vocabulary file in the order of the model's outputs.

    Args:
        path: gzipped TFRecords, one class name each, in any order. (A text file could not hold a
            class name with a line break.)

    Raises:
        BadDataError: there are fewer than two classes.
    """
    records = tf.data.TFRecordDataset(str(path), compression_type="GZIP")
    return sorted_labels(records.as_numpy_iterator())


def class_index(label: tf.Tensor, labels: tuple[str, ...]) -> tf.Tensor:
    """Positions of class names, without a lookup table, which would be a resource in exports.

    Args:
        label: string [...].
        labels: class names in the order of the model's outputs.

    Returns:
        int64 [...]; -1 for a class that is not among them.
    """
    equal = tf.equal(label[..., None], tf.constant([name.encode() for name in labels]))
    found = tf.argmax(tf.cast(equal, tf.int32), axis=-1, output_type=tf.int64)
    return tf.where(tf.reduce_any(equal, axis=-1), found, tf.constant(-1, tf.int64))
