"""Which image goes into which split, and why data cannot be split."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from components.example_gen.ingest_settings import IngestSettings
from components.example_gen.sources.entries import LabelledImage, LeftOut
from components.example_gen.sources.questions import LAYOUT
from components.example_gen.split import assign_splits, missing_shares
from models.data import example_schema
from models.errors import BadDataError

_NAMED = 3


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
        splits = (example_schema.TRAIN, *self.carved) if self.carved else ()
        return any(
            split in splits and len(bundles[label]) >= len(example_schema.SPLITS)
            for label, split in had - left
        )


def plan_splits(
    images: Sequence[LabelledImage],
    settings: IngestSettings,
    seed: int,
    kept: Collection[str] = (),
    joining: Collection[str] = (),
) -> Plan:
    """Decides the split of every image.

    Args:
        images: at least one.
        settings: shares to set aside.
        seed: of the split.
        kept: contents that belong to the test split.
        joining: classes of images that join these.

    Returns:
        The plan; none of its splits is empty.

    Raises:
        BadDataError: there is but one class, no training images, or too few to split.
    """
    _refuse_one_class(images, joining)
    _refuse_pattern_without_groups(images, settings)
    present = {image.split for image in images}
    own = present != {None}
    if own and example_schema.TRAIN not in present:
        raise BadDataError(
            f"The data has the splits {', '.join(sorted(filter(None, present)))} but no training"
            " images; expected train, and optionally validation and test."
        )
    shares = missing_shares(present, settings.validation_fraction, settings.test_fraction)
    splits: dict[str, list[LabelledImage]] = {split: [] for split in example_schema.SPLITS}
    for image, split in zip(images, assign_splits(images, shares, seed, kept), strict=True):
        splits[split].append(image)
    for split, members in splits.items():
        if not members:
            raise _nothing_for(split, images)
    carved = [example_schema.VALIDATION] * (shares.validation > 0) + [example_schema.TEST] * (
        shares.test > 0
    )
    return Plan(splits, "user" if own else "assigned", tuple(carved))


def _nothing_for(split: str, images: Sequence[LabelledImage]) -> BadDataError:
    groups = {image.group for image in images if image.group}
    kinds = "different images, or groups of them," if groups else "different images,"
    in_groups = f" and {len(groups)} groups" if groups else ""
    return BadDataError(
        f"No image is left for the {split} split: expected a class with at least"
        f" {len(example_schema.SPLITS)} {kinds} found {len(images)} images"
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


def _refuse_one_class(images: Sequence[LabelledImage], joining: Collection[str]) -> None:
    label = images[0].label
    if len({image.label for image in images}.union(joining)) > 1:
        return
    raise BadDataError(
        f"All {len(images)} images have the label {label!r}; at least two classes are needed to"
        f" learn anything: {LAYOUT}."
    )
