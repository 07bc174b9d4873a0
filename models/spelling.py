"""Names that people mistype."""

from collections.abc import Iterable
from difflib import SequenceMatcher

_CUTOFF = 0.6


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The question that offers the nearest of the known names, whatever its case.

    Args:
        name: what was typed.
        known: what would have been right; of equally near ones the first is offered.

    Returns:
        The question, with a space in front; empty where none is near.

    >>> did_you_mean("resnet", ["ResNet50", "VGG16"])
    ' Did you mean ResNet50?'
    >>> did_you_mean("elephant", ["ResNet50", "VGG16"])
    ''
    """
    matcher = SequenceMatcher(b=name.lower())
    nearest, likeness = "", _CUTOFF
    for each in known:
        matcher.set_seq1(each.lower())
        if matcher.ratio() > likeness:
            nearest, likeness = each, matcher.ratio()
    return f" Did you mean {nearest}?" if nearest else ""
