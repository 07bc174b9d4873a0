"""What a model must show before it is pushed: the section `evaluation`."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from models.settings import Fraction, Section


class EvaluationSettings(Section):
    """What a model must show before it is pushed. The figures are on the test split."""

    min_accuracy: Fraction = 0.5
    """Least accuracy."""
    max_accuracy_drop: Fraction = 0.01
    """Most accuracy that may be lost against the last blessed model, on the classes that both know,
    on the test images of both that neither learned."""
    challenger: Literal["not_worse", "better"] = "not_worse"
    """What a model must be beside the last blessed one: not_worse by more than that and by more
    than chance, or better by more than chance, so that noise never pushes. A model of other classes
    need not be better."""
    max_forgetting: Fraction = 0.05
    """Most accuracy that may be lost on the classes that the last blessed model knew, where other
    classes came or some are missing: an image of theirs that is answered with a new class is lost.
    Classes that the schema has no longer do not count. 1 lets everything pass."""
    max_drop_below_probe: Fraction = 0.02
    """Most accuracy that may be lost against the head on the frozen backbone: negative transfer."""
    min_class_recall: Fraction = 0.0
    """Least recall of every class."""
    max_calibration_error: Fraction = 1.0
    """Most expected calibration error."""
    top_k: Annotated[int, Field(ge=2, le=100_000)] = 3
    """The k of top-k accuracy."""
    slices: tuple[str, ...] = ()
    """Columns of the manifest, or features of the TFRecords, such as [site, camera, age_group]:
    the accuracy is given for the images of each value, and whether one falls behind the others."""
    max_slice_gap: Fraction = 1.0
    """Most accuracy that the images of one value of a column of slices may lack against all other
    images, where that is no chance. 1 lets everything pass."""

    shortcuts: Literal["error", "warning", "ignore"] = "warning"
    """What a class is for that the model answers by a fixed part of the picture, such as a
    watermark: error forbids the push, warning says it, ignore does not look."""

    @field_validator("slices")
    @classmethod
    def _columns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        names = [name.strip().lower() for name in value]
        if not all(names) or len(set(names)) < len(names):
            raise ValueError("names of columns, each once")
        return value
