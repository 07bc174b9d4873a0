"""What the monitor says of a model's accuracy."""

from dataclasses import dataclass

from models.intervals import Interval


@dataclass(frozen=True, slots=True)
class PartAccuracy:
    """Accuracy of the answers of one kind, foretold without labels.

    Attributes:
        name: class that was answered, or words for the slice.
        images: of it, in the window.
        estimate: share of them that is foretold to be right.
        low: lower end of its interval, which holds for all parts at once in 95 of 100 cases.
        high: upper end.
        reference: share that was right on the reference's images of this kind.
        fell: whether the interval lies below that of the reference, which is as wide for its part.
    """

    name: str
    images: int
    estimate: float
    low: float
    high: float
    reference: float
    fell: bool


@dataclass(frozen=True, slots=True)
class Labelled:
    """Accuracy where labels came.

    Attributes:
        images: that have a label.
        value: share that was right.
        low: lower end of an interval that is right at all times at once in 95 of 100 cases.
        high: upper end.
        foretold: what is foretold of the newest of them without their labels.
        error: that, less what was right of the same images; None with too few of them.
    """

    images: int
    value: float
    low: float
    high: float
    foretold: float | None
    error: float | None


@dataclass(frozen=True, slots=True)
class AccuracyReport:
    """Accuracy now.

    Attributes:
        images: that it is foretold from.
        estimate: share of right answers among them; None where there are too few.
        low: lower end of its 95 % interval.
        high: upper end.
        reliable: whether the images are like some that the model's answers are known to.
        why: in words, why it is reliable or not.
        reference: accuracy on the reference's images.
        reference_interval: its 95 % interval.
        by_confidence: mean calibrated confidence (CBPE), for comparison.
        by_threshold: average thresholded confidence (ATC), for comparison.
        by_class: by class answered.
        by_slice: by how the images look.
        labelled: where labels came, else None.
    """

    images: int
    estimate: float | None
    low: float
    high: float
    reliable: bool
    why: str
    reference: float
    reference_interval: Interval
    by_confidence: float | None = None
    by_threshold: float | None = None
    by_class: tuple[PartAccuracy, ...] = ()
    by_slice: tuple[PartAccuracy, ...] = ()
    labelled: Labelled | None = None
