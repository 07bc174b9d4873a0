"""TFRecord files of `tf.Example`: one file, a folder of them, or a folder with split folders.

The split is the name of the folder that a file lies in, or a word of the file's name
(`flowers-train.tfrecord-00000-of-00002`, as TensorFlow Datasets writes them). Whether a file is
compressed shows in its content.

One image and one label a record. The label is the first of `label`, `image/class/text`,
`image/class/label` and `class` that is not empty, so that a record without the text of its class
has its number.

A file that is damaged gives the records that lie before the damage; what lies behind is unknown,
as is what a missing shard held. Validation makes a finding of either.

Records cannot be read at random, and ingest shuffles: `unpack` therefore copies the encoded
images of each file end to end into a scratch file, where each has an offset and a length.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.columns import check_features
from components.example_gen.sources.containers import find_containers, is_container
from components.example_gen.sources.entries import (
    UNPACKED,
    LabelledImage,
    LeftOut,
    Listing,
    SourceFile,
    canonical_split,
    printable,
    stamp_of,
    train_where_unsaid,
)
from components.example_gen.sources.groups import groups_of
from components.example_gen.sources.ignored import ignored
from components.example_gen.sources.one_label import RefusedError, without_joined
from components.example_gen.sources.record import Record, read_record
from components.example_gen.sources.record_file import DamagedError, read_records


def list_tfrecords(path: str, settings: IngestSettings) -> Listing | None:
    """Lists TFRecord files.

    Args:
        path: a file, or a folder that holds some in it or one level below.
        settings: what is passed over, and where links may lead.

    Returns:
        The files; their labels are empty, as each record carries its own. None where there is no
        TFRecord file, or where it is astray in a folder of images.

    Raises:
        OSError: the folder cannot be read.
    """
    if is_container(path):
        return Listing("tfrecord", path, (_file(Path(path), Path(path).parent),), ())
    containers = find_containers(path, settings) if Path(path).is_dir() else None
    if containers is None:
        return None
    files = [_file(Path(one.entry.path), Path(path)) for one in containers.files]
    ordered = sorted(train_where_unsaid(files), key=lambda file: file.name)
    return Listing("tfrecord", path, tuple(ordered), tuple(sorted(containers.left_out)))


def unpack(
    files: tuple[SourceFile, ...],
    scratch: Path,
    settings: IngestSettings,
    columns: Sequence[str] = (),
) -> tuple[list[LabelledImage], list[LeftOut]]:
    """Copies the images of TFRecord files into scratch files.

    Args:
        files: TFRecord files.
        scratch: existing folder, deleted by the caller when the images have been read.
        settings: what is passed over, and where the group stands.
        columns: features of records that each image's values are wanted of.

    Returns:
        The images in the files' order, and what cannot be used: records without an image or a
        label, and what is behind the damage of a file. Names may be there twice.

    Raises:
        BadDataError: `data.group` is no feature of any record, and matches no name.
        UsageError: one of `columns` is no feature of any record, or the pattern of `data.group`
            takes too long.
        OSError: the scratch folder cannot be written.
    """
    images: list[LabelledImage] = []
    left_out: list[LeftOut] = []
    found: set[str] = set()
    for number, file in enumerate(files):
        blob = scratch / f"{number:05d}"
        with blob.open("wb") as target:
            for entry in _unpack_file(file, str(blob), target, settings, columns, found):
                if isinstance(entry, LeftOut):
                    left_out.append(entry)
                else:
                    images.append(entry)
    if images:
        check_features(columns, found, str(Path(files[0].path).parent), settings)
    kept, refused = without_joined(images, columns, settings.further_labels)
    left_out += refused
    return _in_groups(kept, settings), left_out


def _in_groups(images: list[LabelledImage], settings: IngestSettings) -> list[LabelledImage]:
    """Takes the group from the names where no record has a feature that names it."""
    if not settings.group or any(image.group for image in images):
        return images
    groups = groups_of([image.name for image in images], settings)
    return [image._replace(group=group) for image, group in zip(images, groups, strict=True)]


def _file(path: Path, root: Path) -> SourceFile:
    name = printable(str(path.relative_to(root)))
    return SourceFile(str(path), name, "", _split_of(path, root), stamp_of(path.stat()))


def _unpack_file(
    file: SourceFile,
    blob: str,
    target: BinaryIO,
    settings: IngestSettings,
    columns: Sequence[str],
    found: set[str],
) -> Iterator[LabelledImage | LeftOut]:
    count = 0
    try:
        for content in read_records(file.path):
            name = f"{file.name}#{count}"
            count += 1
            try:
                record = read_record(content, settings.group, columns, settings.further_labels)
                found |= record.features
            except RefusedError as error:
                yield LeftOut(name, error.code, error.reason)
            else:
                yield _write(
                    record._replace(name=record.name or name), file, blob, target, settings
                )
    except DamagedError as error:
        reason = (
            f"it is damaged after record {count}: {count} records were read, what comes behind"
            f" them is unknown ({error})"
            if count
            else f"it is damaged at its start: none of its records can be read ({error})"
        )
        yield LeftOut(file.name, "damaged_container", reason, "unknown")
        return
    if not count:
        yield LeftOut(file.name, "no_records", "it is whole and holds no record", "passed_over")


def _write(
    record: Record, file: SourceFile, blob: str, target: BinaryIO, settings: IngestSettings
) -> LabelledImage | LeftOut:
    if one := ignored(record.name, settings):
        return one
    offset = target.tell()
    target.write(record.image)
    return LabelledImage(
        path=blob,
        name=record.name,
        label=record.label,
        split=file.split,
        sha256=hashlib.sha256(record.image).hexdigest(),
        stamp=UNPACKED,
        size=len(record.image),
        offset=offset,
        group=record.group,
        slices=record.slices,
    )


def _split_of(file: Path, root: Path) -> str | None:
    words = [file.parent.name] if file.parent != root else []
    words += re.split(r"[-_.]", file.name)
    return next((split for word in words if (split := canonical_split(word))), None)
