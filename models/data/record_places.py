"""Where records lie in their files: to count them, or to read some of them alone."""

import os
import struct
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import tensorflow as tf

from models.data import example_schema
from models.data.example_reader import ImageRecord, dataset, split_files
from models.errors import UsageError

_LENGTH: Final = struct.Struct("<Q")
_CHECKSUM_BYTES: Final = 4
"""Of the length, before the record, and of the record, after it."""


class RecordPlace(NamedTuple):
    """A part of a TFRecord file.

    Attributes:
        file: its path.
        offset: of the record's first byte.
        length: of the record.
    """

    file: str
    offset: int
    length: int


def record_places(examples_uri: str, split: str) -> Iterator[RecordPlace]:
    """Yields the places of a split's records, in the order of `read_records`.

    Args:
        examples_uri: directory of an Examples artifact.
        split: its name.

    Raises:
        UsageError: the files are compressed.
        OSError: a file cannot be read.
    """
    for file in split_files(examples_uri, split):
        if file.endswith(".gz"):
            raise UsageError(
                f"{file} is compressed, so that Beam's workers cannot read parts of it. "
                "Take uncompressed records, or no beam.workers."
            )
        with Path(file).open("rb") as opened:
            size = os.fstat(opened.fileno()).st_size
            at = 0
            while at < size:
                (length,) = _LENGTH.unpack(os.pread(opened.fileno(), _LENGTH.size, at))
                at += _LENGTH.size + _CHECKSUM_BYTES
                yield RecordPlace(file, at, length)
                at += length + _CHECKSUM_BYTES


def count_records(examples_uri: str, split: str) -> int:
    """Number of images in a split, of which none is read; 0 if it does not exist.

    Args:
        examples_uri: directory of an Examples artifact.
        split: its name.
    """
    if any(file.endswith(".gz") for file in split_files(examples_uri, split)):
        records = dataset(examples_uri, split)
        return int(records.reduce(np.int64(0), lambda count, _: count + 1))
    return sum(1 for _ in record_places(examples_uri, split))


def read_places(places: Iterable[RecordPlace]) -> Iterator[ImageRecord]:
    """Yields the images at some places; their checksums are left to the reader.

    Args:
        places: as `record_places` gives them.

    Raises:
        OSError: a file cannot be read.
        ValueError: there is no record at a place.
    """
    for file, wanted in groupby(places, key=lambda place: place.file):
        with Path(file).open("rb") as opened:
            for place in wanted:
                yield _record(os.pread(opened.fileno(), place.length, place.offset))


def _record(serialized: bytes) -> ImageRecord:
    try:
        features = tf.train.Example.FromString(serialized).features.feature
    except Exception as error:  # protobuf's own, which it does not export
        raise ValueError("there is no record where one was") from error

    def value(key: str) -> bytes:
        return next(iter(features[key].bytes_list.value), b"")

    return ImageRecord(
        image=value(example_schema.IMAGE),
        label=value(example_schema.LABEL).decode(),
        name=value(example_schema.NAME).decode(),
        sha256=value(example_schema.SHA256).decode(),
        group=value(example_schema.GROUP).decode(),
    )
