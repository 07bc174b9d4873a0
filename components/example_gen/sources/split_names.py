"""Folder names that stand for a split: train, Training_Set, or images-val.

A name is read by its words, never by what it merely contains: "trainer" and "contest" name no
split.
"""

import re
from dataclasses import dataclass

from components.example_gen.sources.entries import canonical_split

_WORD = re.compile(r"[^\W\d_]+|\d+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_FILLERS = """
a set sets data dataset datasets image images img imgs photo photos picture pictures pic pics split
splits folder folders dir class classes x sample samples
"""
_WITHOUT_MEANING = frozenset(_FILLERS.split())
_OF_ANNOTATIONS = """
mask masks label labels annotation annotations annotated segmentation segmentations segmented gt
groundtruth ground truth bbox bboxes boxes xml json jpeg jpg png
"""
_NO_CLASS = _WITHOUT_MEANING | frozenset(_OF_ANNOTATIONS.split())
_JOINED = re.compile(
    r"(train|training|val|valid|validate|validation|dev|eval|evaluation|test|testing)"
    r"(?:set|data|dataset|images|imgs|split|folder|dir)"
)


@dataclass(frozen=True, slots=True)
class SplitName:
    """A folder's name that names a split.

    Attributes:
        split: train, validation or test.
        rest: the other words, but for numbers and for those without a meaning of their own.
    """

    split: str
    rest: tuple[str, ...]


def split_name(name: str) -> SplitName | None:
    """Reads a folder's name.

    Returns:
        The split that it names; None where it names none, or more than one.
    """
    words = _words(name)
    splits = {split for word in words if (split := _split_of(word))}
    if len(splits) != 1:
        return None
    return SplitName(splits.pop(), meaning(name))


def plain_split(name: str) -> str | None:
    """The split that a name stands for where it says nothing else, such as "Training_Set"."""
    found = split_name(name)
    return found.split if found and not found.rest else None


def meaning(name: str) -> tuple[str, ...]:
    """The words of a name that mean something, without splits and numbers."""
    return tuple(
        word
        for word in _words(name)
        if not word.isdigit() and word not in _WITHOUT_MEANING and not _split_of(word)
    )


def says_no_class(name: str) -> bool:
    """Whether a name tells images from their annotations and no class from another."""
    words = _words(name)
    return bool(words) and set(words) <= _NO_CLASS


def _words(name: str) -> list[str]:
    return _WORD.findall(_HUMP.sub(" ", name).lower())


def _split_of(word: str) -> str | None:
    joined = _JOINED.fullmatch(word)
    return canonical_split(joined[1] if joined else word)
