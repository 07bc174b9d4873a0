"""Names that people mistype."""

from collections.abc import Iterable
from difflib import get_close_matches

_CUTOFF = 0.6


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The question that offers the nearest of the known names, whatever its case.

    Args:
        name: what was typed.
        known: what would have been right.

    Returns:
        The question, with a space in front; empty where none is near.

    >>> did_you_mean("resnet", ["ResNet50", "VGG16"])
    ' Did you mean ResNet50?'
    >>> did_you_mean("elephant", ["ResNet50", "VGG16"])
    ''
    """
    by_lower_case = {each.lower(): each for each in known}
    close = get_close_matches(name.lower(), by_lower_case, n=1, cutoff=_CUTOFF)
    return f" Did you mean {by_lower_case[close[0]]}?" if close else ""
