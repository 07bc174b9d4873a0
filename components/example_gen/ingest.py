"""What ingest does, but for Beam: reading a source, planning the splits, judging the outcome."""

import shutil
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from components.example_gen.digests import DigestCache
from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.shards import ShardResult
from components.example_gen.sources import tfrecord
from components.example_gen.sources.entries import LabelledImage, LeftOut, Listing
from components.example_gen.sources.listing import list_locations
from components.example_gen.sources.questions import hint_of_labels
from components.example_gen.sources.refusals import (
    RefusedSourceError,
    describe_all,
    describe_refusals,
)
from components.example_gen.sources.spans import Location
from components.example_gen.sources.tree import Folder
from components.example_gen.split_plan import Plan, plan_splits
from models.data import example_schema
from models.errors import BadDataError


@dataclass(frozen=True, slots=True)
class Source:
    """Everything at a path, digested.

    Attributes:
        listing: what was found.
        images: what can be read.
        left_out: what is not used, known so far.
    """

    listing: Listing
    images: tuple[LabelledImage, ...]
    left_out: tuple[LeftOut, ...]

    @property
    def labels(self) -> set[str]:
        """All classes that files or records are of, be they readable or not."""
        listed = {file.label for file in self.listing.files if file.label}
        return listed | {image.label for image in self.images}

    def without(self, left_out: Iterable[LeftOut]) -> "Source":
        """Returns the source after some of its images were refused."""
        gone = {one.name for one in left_out}
        images = tuple(image for image in self.images if image.name not in gone)
        return replace(self, images=images, left_out=(*self.left_out, *left_out))


@dataclass(frozen=True, slots=True)
class Ingested:
    """What became of everything that was offered.

    Attributes:
        plan: what was to be written, in the last pass.
        written: what became of the images of that pass.
        counts: number of images that were written, by (split, label).
        left_out: all that is not used.
        lost_classes: the classes of which no image was written.
    """

    plan: Plan
    written: ShardResult
    counts: Counter[tuple[str, str]]
    left_out: tuple[LeftOut, ...]
    lost_classes: tuple[str, ...] = ()

    @property
    def classes(self) -> Counter[str]:
        """Number of images that were written, by class."""
        return self._by(1)

    @property
    def splits(self) -> Counter[str]:
        """Number of images that were written, by split."""
        return self._by(0)

    def _by(self, part: int) -> Counter[str]:
        total: Counter[str] = Counter()
        for key, count in self.counts.items():
            total[key[part]] += count
        return total


@contextmanager
def read_source(
    locations: Sequence[Location],
    settings: IngestSettings,
    cache_dir: str,
    columns: Sequence[str] = (),
) -> Iterator[Source]:
    """Lists and digests what lies at a path, in all its spans.

    TFRecords are unpacked into a scratch folder that is gone after the block.

    Args:
        locations: from `sources.listing.resolve`.
        settings: what is passed over, and how text is decoded.
        cache_dir: where digests are remembered and scratch files lie; empty for none.
        columns: of a manifest, or features of records, that each image's values are wanted of.

    Yields:
        What was found.

    Raises:
        BadDataError: nothing there can be ingested.
        UsageError: there is no such column.
        OSError: the cache cannot be written.
    """
    listing = list_locations(locations, settings, columns)
    if listing.kind != "tfrecord":
        memory = DigestCache(cache_dir, locations[0].source)
        yield _source(listing, *_digest(listing, memory))
        return
    if cache_dir:
        Path(cache_dir).mkdir(parents=True, exist_ok=True)
        for left_by_a_kill in Path(cache_dir).glob("unpacked-*"):
            shutil.rmtree(left_by_a_kill, ignore_errors=True)
    with TemporaryDirectory(prefix="unpacked-", dir=cache_dir or None) as scratch:
        yield _source(listing, *tfrecord.unpack(listing.files, Path(scratch), settings, columns))


def ingest_source(
    source: Source,
    settings: IngestSettings,
    seed: int,
    write: Callable[[Plan], ShardResult],
    kept: Collection[str] = (),
    joining: Collection[str] = (),
) -> Ingested:
    """Plans the splits and has them written, twice where refusals emptied a small class.

    Args:
        source: everything at a path.
        settings: shares to set aside.
        seed: of the split.
        write: writes all images of a plan in place of any that were written before, and returns
            what became of them.
        kept: contents that belong to the test split, and are left out where they cannot be in it.
        joining: classes of images that join these.

    Returns:
        What was written, and all that was not.

    Raises:
        BadDataError: there is nothing that a model could learn from.
    """
    labels = source.labels
    plan = _plan(source, settings, seed, kept, joining)
    if leaks := _leaks(plan, kept):
        source = source.without(leaks)
        plan = _plan(source, settings, seed, kept, joining)
    written = write(plan)
    source = source.without(written.left_out)
    if plan.lacks_small_class(written.left_out):
        plan = _plan(source, settings, seed, kept, joining)
        written = write(plan)
        source = source.without(written.left_out)
    done = Ingested(plan, written, _counts(plan, written.left_out), source.left_out)
    _refuse_if_nothing_is_left(done, source, joining)
    return replace(done, lost_classes=tuple(sorted(labels - set(done.classes))))


def _leaks(plan: Plan, kept: Collection[str]) -> list[LeftOut]:
    """Images that belong to the test split, and that the data's own split has elsewhere."""
    reason = (
        "The last blessed model was tested on it, so that a model that learns it could not be "
        "compared with that one. data.keep_test: false takes it all the same."
    )
    return [
        LeftOut(image.name, "was_test", reason, "passed_over")
        for split, images in plan.splits.items()
        for image in images
        if split != example_schema.TEST and image.sha256 in kept
    ]


def _plan(
    source: Source,
    settings: IngestSettings,
    seed: int,
    kept: Collection[str],
    joining: Collection[str],
) -> Plan:
    if not source.images:
        raise RefusedSourceError(
            f"{source.listing.root} holds no image that can be read."
            f" {describe_all(source.left_out)}",
            source.left_out,
        )
    try:
        return plan_splits(source.images, settings, seed, kept, joining)
    except BadDataError as error:
        reasons = describe_refusals(source.left_out)  # without these it might have been enough
        others = (image.name for image in source.images)
        words = f"{error}{_hint(source, settings)} {reasons}".rstrip()
        raise RefusedSourceError(words, source.left_out, others) from error


def _hint(source: Source, settings: IngestSettings) -> str:
    """Where the labels may stand, if all images lie in one folder."""
    root = source.listing.root
    if source.listing.kind != "folder" or len(source.labels) > 1:
        return ""
    return hint_of_labels(Folder(root, "", root, settings))


def _counts(plan: Plan, left_out: Iterable[LeftOut]) -> Counter[tuple[str, str]]:
    gone = {one.name for one in left_out}
    return Counter(
        (split, image.label)
        for split, images in plan.splits.items()
        for image in images
        if image.name not in gone
    )


def _refuse_if_nothing_is_left(done: Ingested, source: Source, joining: Collection[str]) -> None:
    problem = _what_is_missing(done, joining)
    if problem:
        message = f"{problem} {describe_refusals(done.left_out)}".rstrip()
        others = (image.name for image in source.images)
        raise RefusedSourceError(message, done.left_out, others)


def _what_is_missing(done: Ingested, joining: Collection[str]) -> str:
    """Says what a model could not do without; empty where all is there."""
    if not done.counts:
        return "Every image was refused; mend them or take others."
    for split in done.plan.splits:
        if not done.splits[split]:
            return f"Every image of the {split} split was refused."
    if len(set(done.classes).union(joining)) < 2:
        return f"Only the class {next(iter(done.classes))!r} is left; at least two are needed."
    return ""


def _digest(listing: Listing, memory: DigestCache) -> tuple[list[LabelledImage], list[LeftOut]]:
    digests = memory.digests(listing.files)
    images: list[LabelledImage] = []
    left_out: list[LeftOut] = []
    for file, digest in zip(listing.files, digests, strict=True):
        if isinstance(digest, LeftOut):
            left_out.append(digest)
        else:
            size = file.stamp[0]
            images.append(
                LabelledImage(
                    file.path, file.name, file.label, file.split, digest, file.stamp, size, 0,
                    file.group, file.slices,
                )
            )  # fmt: skip
    return images, left_out


def _source(
    listing: Listing, images: Iterable[LabelledImage], left_out: Iterable[LeftOut]
) -> Source:
    """Gives each thing that was offered a name of its own: by its name it is counted.

    Two records may carry the same name, a manifest may name a file twice, and different odd names
    may look the same when printed.
    """
    names = _Names()
    return Source(
        listing,
        tuple(_called(image, names.own(image.name)) for image in images),
        tuple(replace(one, name=names.own(one.name)) for one in chain(listing.left_out, left_out)),
    )


def _called(image: LabelledImage, name: str) -> LabelledImage:
    return image if name == image.name else image._replace(name=name)


class _Names:
    def __init__(self) -> None:
        self._times: Counter[str] = Counter()

    def own(self, name: str) -> str:
        """Returns a name, with `@2`, `@3`, … behind it where it was given before."""
        own = name
        while own in self._times:
            self._times[name] += 1
            own = f"{name}@{self._times[name]}"
        self._times[own] = 1
        return own
