"""Counts and lists in the middle of a sentence."""

from collections.abc import Sequence


def counted(count: int, noun: str, plural: str = "") -> str:
    """Writes how many there are; `plural` where it is not the noun with an s.

    >>> [counted(1, "image"), counted(1234, "image"), counted(0, "history", "histories")]
    ['1 image', '1234 images', '0 histories']
    """
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def listed(words: Sequence[str], most: int, between: str = ", ") -> str:
    """Joins the first words, and counts the others.

    >>> listed(["a", "b", "c"], 2)
    'a, b and 1 more'
    """
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return between.join(words[:most]) + more


def begun_list(words: Sequence[str], most: int) -> str:
    """Joins the first words, and says that there are others.

    >>> begun_list(["a", "b", "c"], 2)
    'a, b, …'
    """
    return ", ".join([*words[:most], *(["…"] if len(words) > most else [])])
