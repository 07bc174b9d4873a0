"""What came of one image."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class SortedImage:
    """One image.

    Attributes:
        path: of its file, absolute.
        label: the likeliest class.
        confidence: in that, 0..1.
        seen: the likeliest of ImageNet's own classes.
        is_labelled: whether the confidence is enough for a label.
        picture: data URI of a small JPEG; empty where there are too many for a page.
    """

    path: Path
    label: str
    confidence: float
    seen: str
    is_labelled: bool
    picture: str
