"""What ImageValidator looks for and how serious each finding is: the section `validation`."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import Field

from components.findings import Finding
from models.settings import Fraction, Section

Severity = Literal["error", "warning", "ignore"]


class ValidationSettings(Section):
    """What the gate stops the run for: error stops it, warning is reported, ignore is silent."""

    schema_path: str = ""
    """Schema of the derived features: inferred and written here by the first run, then yours to
    edit and commit. Empty: schema/schema.pbtxt in the workspace."""
    schema_anomaly: Severity = "warning"
    """A statistic outside the schema (TFDV)."""
    unseen_class: Severity = "error"
    """A class in validation or test that training has no image of, or that the schema lacks, be it
    added, renamed or split off, or classes that exchanged their names. `graft schema accept` lets
    it in."""
    similar_classes: Severity = "warning"
    """Classes whose names differ only in case, blanks, hyphens or what cannot be seen, such as Cat
    and cat, or 1 and 1.0."""
    unlabelled_class: Severity = "error"
    """A class that is called as images are that nobody has labelled, such as unlabelled or
    unsorted. One called unknown or nan, which may be a class, is never more than a warning."""
    label_conflict: Severity = "error"
    """The same image, by its bytes or its pixels, under two labels, in more than
    max_label_conflicts of the images."""
    max_label_conflicts: Fraction = 0.001
    """Share of images under two labels up to which that is a warning: large collections made by
    people hold a few."""
    label_errors: Severity = "warning"
    """Labels that look wrong (confident learning), of more than max_label_errors of the training
    and validation images."""
    max_label_errors: Fraction = 0.03
    """Share of labels that may look wrong."""
    duplicate_across_splits: Severity = "warning"
    """The same bytes in two splits."""
    near_duplicate_across_splits: Severity = "warning"
    """Perceptually equal images in two splits."""
    near_duplicate_distance: Annotated[int, Field(ge=0, le=16)] = 2
    """Bits by which two 64-bit perceptual hashes may differ and still count as near-duplicates."""
    span_drift: Severity = "warning"
    """The newest of several spans differs from those before it by more than max_drift: in shares of
    classes or formats, or in what was measured of the images (TFDV)."""
    split_skew: Severity = "warning"
    """The test split differs likewise from the training split, where the split is the data's."""
    max_drift: Fraction = 0.1
    """Change of a share, or Jensen-Shannon divergence of a measure, from which on that is told,
    beyond what chance does to as many images."""
    group_across_splits: Severity = "warning"
    """A group of data.group that lies on two sides of a split of the data's own."""
    groups_suspected: Severity = "warning"
    """File names or near-duplicates suggest several photos of one thing on two sides of the split,
    and data.group is empty."""
    min_images_per_class: Annotated[int, Field(ge=1)] = 5
    """Fewer training images than this in a class is a finding."""
    too_few_images: Severity = "error"
    """A class with fewer training images than min_images_per_class. One without an image to
    validate or to test on is never more than a warning."""
    class_imbalance: Severity = "warning"
    """One class with more than max_imbalance times the training images of another."""
    max_imbalance: Annotated[float, Field(ge=1.0)] = 20.0
    """How many times as many training images one class may have as another."""
    max_quarantined: Fraction = 0.1
    """Largest share of images that may be refused."""
    too_many_quarantined: Severity = "error"
    """More than max_quarantined of the images were refused."""
    damaged_container: Severity = "error"
    """A TFRecord file that is damaged, cut short or missing among its shards, or a folder that was
    not looked into, as nobody may read it or it is a link out of the data: what it holds is
    unknown."""
    flat_images: Severity = "error"
    """Images without contrast: blank, black, or broken by a conversion. Up to max_flat of them
    that is a warning."""
    max_flat: Fraction = 0.2
    """Largest share of the images, and of each class, that may be flat."""
    one_picture: Severity = "error"
    """The same picture over and over, in more than max_one_picture of the images or of a class."""
    max_one_picture: Fraction = 0.5
    """Largest share of the images, and of each class, that may be copies of one picture."""

    def finding(
        self, check: str, found: str, images: Sequence[str], mend: str = ""
    ) -> list[Finding]:
        """A finding of the severity set under `check`; none where it is to be ignored.

        Args:
            check: the key.
            found: what, in sentences.
            images: names of those concerned.
            mend: what to do about it and to set, in sentences.
        """
        return _finding(check, getattr(self, check), found, images, mend)

    def hint(self, check: str, found: str, images: Sequence[str], mend: str = "") -> list[Finding]:
        """As `finding`, but never more than a warning; none where `check` is to be ignored."""
        level = getattr(self, check)
        return _finding(check, "ignore" if level == "ignore" else "warning", found, images, mend)


def _finding(
    check: str, level: Severity, found: str, images: Sequence[str], mend: str
) -> list[Finding]:
    if level == "warning":  # the run goes on anyway
        for let_pass in ("warning", "ignore"):
            mend = mend.replace(override(check, let_pass), _silence(check))
    return [] if level == "ignore" else [Finding.about(check, level, found, images, mend)]


def override(check: str, level: str = "warning") -> str:
    """The words that say how to let a check pass; those of a warning become how to silence it."""
    return f"To go on all the same, set validation.{check}: {level}."


def _silence(check: str) -> str:
    return f"To silence it, set validation.{check}: ignore."
