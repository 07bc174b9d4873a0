"""Reading the `tf.Example` records that ingest writes."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import tensorflow as tf

from models.data import example_schema

_BATCH: Final = 256
_TEXT: Final = (tf.string, "")
_FEATURES: Final = {
    example_schema.IMAGE: (tf.string, None),
    example_schema.LABEL: (tf.string, None),
    example_schema.NAME: (tf.string, None),
    example_schema.SHA256: (tf.string, None),
    example_schema.WIDTH: (tf.int64, 0),
    example_schema.HEIGHT: (tf.int64, 0),
    example_schema.CHANNELS: (tf.int64, 0),
    example_schema.BYTE_SIZE: (tf.int64, 0),
    example_schema.BRIGHTNESS_MEAN: (tf.float32, 0),
    example_schema.BRIGHTNESS_STD: (tf.float32, 0),
    example_schema.SHARPNESS: (tf.float32, 0),
}
"""Types of features, and what stands for a missing value; None where it is required. What is not
here is `_TEXT`."""


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """One image of a split.

    Attributes:
        image: encoded bytes.
        label: class name.
        name: path relative to the data folder.
        sha256: hex digest of the file as the user supplied it.
        group: of the images that lie on one side of the split; empty for none.
    """

    image: bytes
    label: str
    name: str
    sha256: str
    group: str = ""


def split_files(examples_uri: str, split: str) -> list[str]:
    """Record files of a split, sorted; empty if the split does not exist.

    Args:
        examples_uri: directory of an Examples artifact.
        split: "train", "validation" or "test".
    """
    directory = Path(examples_uri) / f"Split-{split}"
    if not directory.is_dir():
        return []
    return sorted(str(path) for path in directory.iterdir() if path.is_file())


def dataset(examples_uri: str, split: str) -> tf.data.Dataset:
    """Serialized Examples of a split, in the order of the files.

    Files that end in `.gz` are decompressed, others read as they are.

    Returns:
        Dataset of string scalars.
    """
    files = split_files(examples_uri, split)
    records = tf.data.Dataset.from_tensor_slices(tf.constant(files, tf.string))
    return records.flat_map(_records_of_file)


def read_records(examples_uri: str, split: str) -> Iterator[ImageRecord]:
    """Yields the images of a split, in the order of the files."""
    keys = (
        example_schema.IMAGE,
        example_schema.LABEL,
        example_schema.NAME,
        example_schema.SHA256,
        example_schema.GROUP,
    )
    for columns in _parsed(examples_uri, split, keys):
        for image, *texts in zip(*(columns[key] for key in keys), strict=True):
            yield ImageRecord(image, *(text.decode() for text in texts))


def derived_features(
    examples_uri: str, split: str, further: Iterable[str] = ()
) -> dict[str, np.ndarray[Any, Any]]:
    """Columns of a split without the images themselves.

    Args:
        examples_uri: directory of an Examples artifact.
        split: its name.
        further: features of texts that are wanted too, such as those of
            `example_schema.slice_feature`.

    Returns:
        One array [n] for each of `features.DERIVED`, name, label, sha256, group, phash, converted
        and what was asked for: int64, float32, or object arrays of str.
    """
    keys = (
        *example_schema.DERIVED,
        example_schema.NAME,
        example_schema.LABEL,
        example_schema.SHA256,
        example_schema.GROUP,
        example_schema.PHASH,
        example_schema.CONVERTED,
        *further,
    )
    batches = list(_parsed(examples_uri, split, keys))
    return {key: _column(key, [batch[key] for batch in batches]) for key in keys}


def _records_of_file(path: tf.Tensor) -> tf.data.Dataset:
    compression = tf.where(tf.strings.regex_full_match(path, r".*\.gz"), "GZIP", "")
    return tf.data.TFRecordDataset(path, compression_type=compression)


def _parsed(
    examples_uri: str, split: str, keys: tuple[str, ...]
) -> Iterator[dict[str, np.ndarray[Any, Any]]]:
    """Columns of a batch of Examples at a time; features not asked for are not copied."""
    if not split_files(examples_uri, split):
        return
    spec = {key: tf.io.FixedLenFeature([], *_FEATURES.get(key, _TEXT)) for key in keys}
    batches = dataset(examples_uri, split).batch(_BATCH)
    parsed = batches.map(lambda serialized: tf.io.parse_example(serialized, spec)).prefetch(1)
    yield from parsed.as_numpy_iterator()


def _column(key: str, batches: list[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    dtype, _ = _FEATURES.get(key, _TEXT)
    if dtype == tf.string:
        return np.array([value.decode() for batch in batches for value in batch], dtype=object)
    return np.concatenate([np.zeros(0, dtype.as_numpy_dtype), *batches])
