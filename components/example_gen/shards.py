"""Cutting a split into shards, and writing one shard: the work of one Beam element."""

import hashlib
import json
import os
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import tensorflow as tf

from components.example_gen.example_form import ExampleForm
from components.example_gen.measures import NONE, Measures
from components.example_gen.side_by_side import pays_side_by_side
from components.example_gen.sources.entries import UNPACKED, LabelledImage, LeftOut, stamp_of
from components.example_gen.sources.file_kinds import open_regular
from models.data import example_schema
from models.data.normalisation import ImageRefusedError, normalise
from models.data.sample_depth import SampleRange, SampleRangeNeededError, SampleSpan
from models.errors import BadDataError

_SHARD_IMAGES = 2000
_SHARD_BYTES = 128 << 20
_BATCH = 8
_BATCHES_AHEAD = 2
_FORM: Final = ExampleForm()


@dataclass(frozen=True, slots=True)
class Shard:
    """Images that go into one TFRecord file, in this order.

    Attributes:
        split: train, validation or test.
        index: number of the shard in its split.
        count: shards of the split.
        images: what to write.
        known: measures of some of them, by `sha256`.
    """

    split: str
    index: int
    count: int
    images: tuple[LabelledImage, ...]
    known: Mapping[str, Measures] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name among the shards of all splits."""
        return f"{self.split}-{self.index:05d}"

    @property
    def file_name(self) -> str:
        """Name of the TFRecord file; without .gz, so every reader takes it as uncompressed."""
        return f"data_tfrecord-{self.index:05d}-of-{self.count:05d}"

    def to_json(self) -> str:
        """Returns the shard as text in ASCII, whatever its file names hold."""
        return json.dumps([self.split, self.index, self.count, self.images, self.known])

    @classmethod
    def from_json(cls, text: str) -> "Shard":
        """Reads what `to_json` wrote."""
        split, index, count, rows, known = json.loads(text)
        measures = {digest: Measures(*each) for digest, each in known.items()}
        return cls(split, index, count, tuple(_image_of(row) for row in rows), measures)


def _image_of(row: list[Any]) -> LabelledImage:
    image = LabelledImage(*row)
    size, modified, changed = image.stamp  # a list: JSON knows no tuples
    return image._replace(stamp=(size, modified, changed), slices=tuple(image.slices))


@dataclass(slots=True)
class ShardResult:
    """What became of some images.

    Attributes:
        images: number of them.
        left_out: the images that cannot be used.
        converted: number of images by the conversion made.
        span: of the samples of the deep images that were not written, as the set's range is not
            known yet; None where there are none.
        sample_range: by which deep images were scaled; None where there are none.
        workers: number of images by the process that took them; empty where nobody counts.
        measures: of the images that were taken as they are, by `sha256`.
    """

    images: int = 0
    left_out: list[LeftOut] = field(default_factory=list)
    converted: Counter[str] = field(default_factory=Counter)
    span: SampleSpan | None = None
    sample_range: SampleRange | None = None
    workers: Counter[str] = field(default_factory=Counter)
    measures: dict[str, Measures] = field(default_factory=dict)

    def add(self, other: "ShardResult") -> None:
        """Counts other images in."""
        self.images += other.images
        self.left_out += other.left_out
        self.converted.update(other.converted)
        self.workers.update(other.workers)
        self.span = other.span.joined(self.span) if other.span else self.span
        self.measures |= other.measures


def cut_shards(
    split: str,
    images: Iterable[LabelledImage],
    seed: int,
    known: Mapping[str, Measures] = NONE,
) -> list[Shard]:
    """Shuffles a split and cuts it into shards.

    The order is drawn from seed, content and name, so it mixes the classes and does not depend
    on the order of the files.

    Args:
        split: train, validation or test.
        images: all of the split.
        seed: of the order.
        known: measures of some of them and of others, by `sha256`.

    Returns:
        The shards, none empty.
    """
    shuffled = sorted(images, key=lambda image: _shuffle_key(image, seed))
    pieces = list(_pieces(shuffled))
    return [
        Shard(split, index, len(pieces), tuple(piece), _known_of(piece, known))
        for index, piece in enumerate(pieces)
    ]


def write_shard(
    shard: Shard,
    directory: str,
    max_pixels: int,
    sample_range: SampleRange | None,
    columns: Sequence[str] = (),
) -> Iterator[ShardResult]:
    """Writes one TFRecord file of `tf.Example`s, uncompressed: JPEG and PNG do not shrink.

    Args:
        shard: what to write.
        directory: existing folder of the split.
        max_pixels: images with more pixels are refused.
        sample_range: of images of more than 8 bits a channel; None where it is not known yet, so
            that they are measured and not written.
        columns: names of the images' `slices`.

    Yields:
        A result after every few images.

    Raises:
        BadDataError: a file changed since it was listed.
        tf.errors.OpError: the directory cannot be written, or the disk is full.
    """
    path = f"{directory}/{shard.file_name}"
    batches = [shard.images[at : at + _BATCH] for at in range(0, len(shard.images), _BATCH)]
    make = partial(_make_example, max_pixels, sample_range, columns, shard.known)
    with tf.io.TFRecordWriter(path) as writer:
        for batch in _outcomes(batches, make):
            result = ShardResult(len(batch))
            for outcome in batch:
                if isinstance(outcome, LeftOut):
                    result.left_out.append(outcome)
                elif isinstance(outcome, SampleSpan):
                    result.span = outcome.joined(result.span)
                else:
                    record, conversions, measures = outcome
                    writer.write(record)
                    result.converted.update(conversions)
                    result.measures |= measures
            yield result


Outcome = LeftOut | SampleSpan | tuple[bytes, tuple[str, ...], Mapping[str, Measures]]
_Make = Callable[[LabelledImage], Outcome]


def _outcomes(batches: Sequence[Sequence[LabelledImage]], make: _Make) -> Iterator[list[Outcome]]:
    """Makes examples of batches, in order: photos on all cores, small images where it stands."""
    if pays_side_by_side([image.size for batch in batches for image in batch]):
        return _in_threads(batches, make)
    return ([make(image) for image in batch] for batch in batches)


def _in_threads(batches: Sequence[Sequence[LabelledImage]], make: _Make) -> Iterator[list[Outcome]]:
    """Makes examples of batches on all cores, in order, few batches ahead of the reader."""
    threads = len(os.sched_getaffinity(0))
    ahead: deque[Future[list[Outcome]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for batch in batches:
            ahead.append(pool.submit(lambda images: [make(image) for image in images], batch))
            if len(ahead) > threads * _BATCHES_AHEAD:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()


def _make_example(
    max_pixels: int,
    sample_range: SampleRange | None,
    columns: Sequence[str],
    known: Mapping[str, Measures],
    image: LabelledImage,
) -> Outcome:
    try:
        raw = _read(image)
        measures = known.get(image.sha256)
        # The file may have been swapped without a trace in its stamp.
        if measures and hashlib.sha256(raw).hexdigest() == image.sha256:
            return _serialize(image, raw, measures, (), columns), (), {image.sha256: measures}
        normalised = normalise(raw, max_pixels, sample_range or "unknown")
    except SampleRangeNeededError as error:
        return error.span.named(image.name)
    except ImageRefusedError as error:
        return LeftOut(image.name, error.code, error.reason)
    except OSError as error:
        return LeftOut(image.name, "unreadable", error.strerror or str(error))
    conversions, measures = normalised.converted, Measures.of(normalised)
    record = _serialize(image, normalised.encoded, measures, conversions, columns)
    return record, conversions, {} if conversions else {image.sha256: measures}


def _read(image: LabelledImage) -> bytes:
    file, status = open_regular(image.path)  # a file object costs half as much as the reading
    try:
        if image.stamp not in (UNPACKED, stamp_of(status)):
            raise BadDataError(
                f"{image.path} changed while it was being ingested; run again when the folder is"
                " at rest."
            )
        return os.pread(file, image.size, image.offset)
    finally:
        os.close(file)


def _serialize(
    image: LabelledImage,
    encoded: bytes,
    measures: Measures,
    conversions: Sequence[str],
    columns: Sequence[str],
) -> bytes:
    values: dict[str, bytes | int | float] = {
        example_schema.LABEL: image.label.encode(),
        example_schema.NAME: image.name.encode(),
        example_schema.SHA256: image.sha256.encode(),
        example_schema.CONVERTED: ",".join(conversions).encode(),
        example_schema.BYTE_SIZE: image.size,
        example_schema.IMAGE: encoded,
    }
    for name, measure in measures._asdict().items():
        values[name] = measure.encode() if isinstance(measure, str) else measure
    if image.group:
        values[example_schema.GROUP] = image.group.encode()
    for column, value in zip(columns, image.slices, strict=True):
        values[example_schema.slice_feature(column)] = value.encode()
    return _FORM.fill(values)


def _known_of(
    images: Iterable[LabelledImage], known: Mapping[str, Measures]
) -> dict[str, Measures]:
    return {each.sha256: known[each.sha256] for each in images if each.sha256 in known}


def _shuffle_key(image: LabelledImage, seed: int) -> bytes:
    text = f"{seed}/{image.sha256}/{image.name}/{image.label}"
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _pieces(images: Sequence[LabelledImage]) -> Iterator[list[LabelledImage]]:
    piece: list[LabelledImage] = []
    size = 0
    for image in images:
        if piece and (len(piece) == _SHARD_IMAGES or size + image.size > _SHARD_BYTES):
            yield piece
            piece, size = [], 0
        piece.append(image)
        size += image.size
    if piece:
        yield piece
