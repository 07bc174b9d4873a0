"""TFRecord files of `tf.Example`: one file, a folder of them, or a folder with split folders.

The split is the name of the folder that a file lies in, or a word of the file's name
(`flowers-train.tfrecord-00000-of-00002`, as TensorFlow Datasets writes them).

Records cannot be read at random, and ingest shuffles: `unpack` therefore copies the encoded
images of each file end to end into a scratch file, where each has an offset and a length.
"""

import contextlib
import dataclasses
import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import tensorflow as tf
from google.protobuf.message import DecodeError

from components.example_gen.settings import IngestSettings
from components.example_gen.sources.entries import (
    UNPACKED,
    LabelledImage,
    LeftOut,
    Listing,
    SourceFile,
    canonical_label,
    canonical_split,
    printable,
    stamp_of,
)
from components.example_gen.sources.files import is_folder, visible_entries
from models import features

_FILE = re.compile(r"\.tfrecords?(-\d+-of-\d+)?(\.gz)?$", re.IGNORECASE)
_IMAGE_FEATURES = ("image", "image/encoded", "image_raw", "encoded")
_LABEL_FEATURES = ("label", "image/class/text", "image/class/label", "class")
_NAME_FEATURES = ("name", "image/filename", "filename")


def is_tfrecord_source(path: str) -> bool:
    """Whether a path is a TFRecord file, or a folder that holds some in it or one level below.

    Raises:
        OSError: the folder cannot be read.
    """
    return bool(_FILE.search(path)) if Path(path).is_file() else bool(_record_files(path))


def list_tfrecords(path: str, settings: IngestSettings) -> Listing:
    """Lists TFRecord files.

    Args:
        path: for which `is_tfrecord_source` holds.
        settings: what is passed over.

    Returns:
        The files; their labels are empty, as each record carries its own.

    Raises:
        OSError: the folder cannot be read.
    """
    if Path(path).is_file():
        found = [Path(path)]
        root = Path(path).parent
    else:
        found = _record_files(path)
        root = Path(path)
    files = []
    for file in found:
        name = printable(str(file.relative_to(root)))
        stamp = stamp_of(file.stat())
        files.append(SourceFile(str(file), name, "", _split_of(file, root), stamp))
    if any(file.split for file in files):
        files = [dataclasses.replace(file, split=file.split or features.TRAIN) for file in files]
    return Listing("tfrecord", path, tuple(sorted(files, key=lambda file: file.name)), ())


def unpack(
    files: tuple[SourceFile, ...], scratch: Path
) -> tuple[list[LabelledImage], list[LeftOut]]:
    """Copies the images of TFRecord files into scratch files.

    Args:
        files: TFRecord files.
        scratch: existing folder, deleted by the caller when the images have been read.

    Returns:
        The images in the files' order, and the records that hold no image or no label.

    Raises:
        OSError: the scratch folder cannot be written.
    """
    images: dict[str, LabelledImage] = {}
    left_out: list[LeftOut] = []
    for number, file in enumerate(files):
        blob = scratch / f"{number:05d}"
        with blob.open("wb") as target:
            for entry in _unpack_file(file, str(blob), target):
                if isinstance(entry, LeftOut):
                    left_out.append(entry)
                    continue
                # Names tell images apart, but two records may carry the same one.
                name = entry.name if entry.name not in images else f"{entry.name}@{len(images)}"
                images[name] = entry._replace(name=name)
    return list(images.values()), left_out


def _unpack_file(
    file: SourceFile, blob: str, target: BinaryIO
) -> Iterator[LabelledImage | LeftOut]:
    compression = "GZIP" if file.path.lower().endswith(".gz") else ""
    records = tf.data.TFRecordDataset(file.path, compression_type=compression)
    index = -1
    try:
        for index, record in enumerate(records.as_numpy_iterator()):
            yield _unpack_record(record, file, index, blob, target)
    except tf.errors.OpError as error:
        reason = f"the file is damaged behind record {index}: {error.message}"
        yield LeftOut(file.name, "corrupt", reason)


def _unpack_record(
    record: bytes, file: SourceFile, index: int, blob: str, target: BinaryIO
) -> LabelledImage | LeftOut:
    name = f"{file.name}#{index}"
    try:
        found = tf.train.Example.FromString(record).features.feature
    except DecodeError as error:
        return LeftOut(name, "corrupt", f"the record is no tf.Example ({error})")
    image = _first(found, _IMAGE_FEATURES)
    if not isinstance(image, bytes) or not image:
        keys = ", ".join(sorted(found)) or "none"
        reason = f"expected the image's bytes in {' or '.join(_IMAGE_FEATURES[:2])}; found {keys}"
        return LeftOut(name, "no_image", reason)
    label = canonical_label(_as_text(_first(found, _LABEL_FEATURES)))
    if not label:
        keys = ", ".join(sorted(found))
        reason = f"expected the label in {' or '.join(_LABEL_FEATURES[:2])}; found {keys}"
        return LeftOut(name, "no_label", reason)
    offset = target.tell()
    target.write(image)
    return LabelledImage(
        path=blob,
        name=printable(_as_text(_first(found, _NAME_FEATURES))) or name,
        label=label,
        split=file.split,
        sha256=hashlib.sha256(image).hexdigest(),
        stamp=UNPACKED,
        size=len(image),
        offset=offset,
    )


def _first(found: "dict[str, tf.train.Feature]", keys: tuple[str, ...]) -> bytes | int | None:
    for key in keys:
        if key in found:
            values = found[key].bytes_list.value or found[key].int64_list.value
            if values:
                return values[0]
    return None


def _as_text(value: bytes | int | None) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape")
    return "" if value is None else str(value)


def _record_files(folder: str) -> list[Path]:
    files: list[Path] = []
    for entry in visible_entries(folder):
        if is_folder(entry):
            with contextlib.suppress(OSError):  # an unreadable folder holds no records for us
                files += [Path(one.path) for one in visible_entries(entry.path) if _named(one)]
        elif _named(entry):
            files.append(Path(entry.path))
    return files


def _named(entry: os.DirEntry[str]) -> bool:
    return bool(_FILE.search(entry.name)) and entry.is_file()


def _split_of(file: Path, root: Path) -> str | None:
    words = [file.parent.name] if file.parent != root else []
    words += re.split(r"[-_.]", file.name)
    return next((split for word in words if (split := canonical_split(word))), None)
