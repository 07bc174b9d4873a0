"""What ingest does, but for Beam: reading a source, planning the splits, judging the outcome."""

import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from components.example_gen.digests import DigestCache
from components.example_gen.settings import IngestSettings
from components.example_gen.sources import tfrecord
from components.example_gen.sources.entries import LabelledImage, LeftOut, Listing
from components.example_gen.sources.listing import list_source
from components.example_gen.sources.questions import LAYOUT
from components.example_gen.split import assign_splits, missing_shares
from models import features
from models.errors import BadDataError

_NAMED = 3


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


@dataclass(frozen=True, slots=True)
class Plan:
    """Which image goes where.

    Attributes:
        splits: split name to its images; all three names.
        source: "user" where the data has a split of its own, else "assigned".
        carved: the splits that were set aside by Graft.
    """

    splits: dict[str, list[LabelledImage]]
    source: str
    carved: tuple[str, ...]

    def lacks_small_class(self, left_out: Iterable[LeftOut]) -> bool:
        """Whether refusals left a class without an image in a split that Graft assigned.

        Only then is a new plan for the remaining images worth a second pass over the data.
        """
        gone = {one.name for one in left_out}
        had: set[tuple[str, str]] = set()
        left: set[tuple[str, str]] = set()
        bundles: dict[str, set[str]] = defaultdict(set)
        for split, images in self.splits.items():
            for image in images:
                had.add((image.label, split))
                if image.name not in gone:
                    left.add((image.label, split))
                    bundles[image.label].add(image.group or image.sha256)
        splits = (features.TRAIN, *self.carved) if self.carved else ()
        return any(
            split in splits and len(bundles[label]) >= len(features.SPLITS)
            for label, split in had - left
        )


@contextmanager
def read_source(path: str, settings: IngestSettings, cache_dir: str) -> Iterator[Source]:
    """Lists and digests what lies at a path.

    TFRecords are unpacked into a scratch folder that is gone after the block.

    Args:
        path: resolved by `sources.listing.resolve`.
        settings: what is passed over, and how text is decoded.
        cache_dir: where digests are remembered and scratch files lie; empty for none.

    Yields:
        What was found.

    Raises:
        BadDataError: nothing there can be ingested.
        OSError: the cache cannot be written.
    """
    listing = list_source(path, settings)
    if listing.kind != "tfrecord":
        yield _digest(listing, cache_dir)
        return
    if cache_dir:
        Path(cache_dir).mkdir(parents=True, exist_ok=True)
        for left_by_a_kill in Path(cache_dir).glob("unpacked-*"):
            shutil.rmtree(left_by_a_kill, ignore_errors=True)
    with TemporaryDirectory(prefix="unpacked-", dir=cache_dir or None) as scratch:
        images, left_out = tfrecord.unpack(listing.files, Path(scratch))
        yield Source(listing, tuple(images), (*listing.left_out, *left_out))


def plan_splits(images: Sequence[LabelledImage], settings: IngestSettings, seed: int) -> Plan:
    """Decides the split of every image.

    Args:
        images: at least one.
        settings: shares to set aside.
        seed: of the split.

    Returns:
        The plan; none of its splits is empty.

    Raises:
        BadDataError: there is but one class, no training images, or too few to split.
    """
    _refuse_one_class(images)
    _refuse_pattern_without_groups(images, settings)
    present = {image.split for image in images}
    own = present != {None}
    if own and features.TRAIN not in present:
        raise BadDataError(
            f"The data has the splits {', '.join(sorted(filter(None, present)))} but no training"
            " images; expected train, and optionally validation and test."
        )
    shares = missing_shares(present, settings.validation_fraction, settings.test_fraction)
    splits: dict[str, list[LabelledImage]] = {split: [] for split in features.SPLITS}
    for image, split in zip(images, assign_splits(images, shares, seed), strict=True):
        splits[split].append(image)
    for split, members in splits.items():
        if not members:
            raise _nothing_for(split, images)
    carved = [features.VALIDATION] * (shares.validation > 0) + [features.TEST] * (shares.test > 0)
    return Plan(splits, "user" if own else "assigned", tuple(carved))


def refuse_if_nothing_is_left(
    plan: Plan, written: Counter[tuple[str, str]], left_out: Sequence[LeftOut]
) -> None:
    """Checks that enough was written to go on with.

    Args:
        plan: what was to be written.
        written: number of images by (split, label).
        left_out: everything in quarantine.

    Raises:
        BadDataError: every image of a split was refused, or all but one class was.
    """
    reasons = describe_refusals(left_out)
    if not written:
        raise BadDataError(f"Every image was refused. {reasons} Mend them or take others.")
    for split in plan.splits:
        if not any(name == split for name, _ in written):
            raise BadDataError(f"Every image of the {split} split was refused. {reasons}")
    labels = {label for _, label in written}
    if len(labels) < 2:
        raise BadDataError(
            f"Only the class {next(iter(labels))!r} is left; at least two are needed. {reasons}"
        )


def describe_refusals(left_out: Sequence[LeftOut]) -> str:
    """Says in a few lines what was refused and why, the commonest cause first."""
    by_code: dict[str, list[LeftOut]] = defaultdict(list)
    for one in left_out:
        if one.fate != "passed_over":
            by_code[one.code].append(one)
    lines = []
    for code, members in sorted(by_code.items(), key=lambda item: -len(item[1])):
        examples = "; ".join(f"{one.name}: {one.reason}" for one in members[:_NAMED])
        lines.append(f"{len(members)} {code} ({examples}{'; …' * (len(members) > _NAMED)})")
    return "Refused: " + ", ".join(lines) + "."


def _digest(listing: Listing, cache_dir: str) -> Source:
    digests = DigestCache(cache_dir, listing.root).digests(listing.files)
    images: list[LabelledImage] = []
    left_out = list(listing.left_out)
    for file, digest in zip(listing.files, digests, strict=True):
        if isinstance(digest, LeftOut):
            left_out.append(digest)
        else:
            images.append(
                LabelledImage(
                    path=file.path,
                    name=file.name,
                    label=file.label,
                    split=file.split,
                    sha256=digest,
                    stamp=file.stamp,
                    size=file.stamp[0],
                    group=file.group,
                )
            )
    return Source(listing, tuple(images), tuple(left_out))


def _nothing_for(split: str, images: Sequence[LabelledImage]) -> BadDataError:
    groups = {image.group for image in images if image.group}
    kinds = "different images, or groups of them," if groups else "different images,"
    in_groups = f" and {len(groups)} groups" if groups else ""
    return BadDataError(
        f"No image is left for the {split} split: expected a class with at least"
        f" {len(features.SPLITS)} {kinds} found {len(images)} images"
        f" ({len({image.sha256 for image in images})} different) in"
        f" {len({image.label for image in images})} classes{in_groups}. Add images, or make the"
        " split yourself with train/, validation/ and test/ folders."
    )


def _refuse_pattern_without_groups(
    images: Sequence[LabelledImage], settings: IngestSettings
) -> None:
    if settings.group and not any(image.group for image in images):
        names = ", ".join(repr(image.name) for image in images[:_NAMED])
        raise BadDataError(
            f"data.group {settings.group!r} names no group: it is no column of a manifest, and as"
            f" a pattern it matches none of the {len(images)} paths, such as {names}. Mend the"
            " pattern, or leave data.group out."
        )


def _refuse_one_class(images: Sequence[LabelledImage]) -> None:
    labels = {image.label for image in images}
    if len(labels) > 1:
        return
    label = next(iter(labels))
    raise BadDataError(
        f"All {len(images)} images have the label {label!r}; at least two classes are needed to"
        f" learn anything: {LAYOUT}."
    )
