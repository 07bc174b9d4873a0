r"""Groups that file names suggest: `patient12_a.png` and `patient12_b.png` show one patient.

Each pattern here is a regular expression as `data.group` takes it, so what is suggested to the
user is what was tried. A pattern is believed where the groups that it makes look like groups: many,
each a small part of the images, several in a class. Running numbers (`cat.12.jpg`,
`IMG_1234.jpg`) make none, as a stem that a whole class shares is no group.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_START = r"(?:^|/)"
_SUFFIX = r"\.[^./]+$"
_IN_FOLDER = r"((?:[^/]+/)?[^/]+?)"
_MADE = (
    "aug|augmented|augmentation|flip|flipped|hflip|vflip|mirror|mirrored|rot|rotated|rotate|crop"
    "|cropped|tile|patch|view|frame|slice|burst|shot|angle|blur|blurred|noise|bright|brightness"
    "|dark|zoom|shear|scaled"
)
_NUMBERED = r"(?:[A-Za-z]?\d{1,5}|[A-Za-z]{1,2})"
_DATE = re.compile(r"(?<!\d)(?:19|20)\d\d[-_.]?(?:0[1-9]|1[0-2])[-_.]?(?:[0-2]\d|3[01])")
_FEW = 2
_DATED = 0.2
"""Share of names with a date from which on numbers in names are taken for times."""


@dataclass(frozen=True, slots=True)
class _Sign:
    """A habit of naming files.

    Attributes:
        pattern: whose first bracket names the group; a second one holds what marks a copy, and
            then a group is one only if it holds a copy.
        groups: of two images or more, at least.
        covered: share of the images in such groups, at least.
        largest: share of the images in one group, at most.
        numbered: whether plain numbers name the images, which dates do too.
    """

    pattern: str
    groups: int
    covered: float
    largest: float
    numbered: bool


def _sure(pattern: str) -> _Sign:
    return _Sign(pattern, groups=3, covered=0.02, largest=0.25, numbered=False)


def _likely(pattern: str) -> _Sign:
    return _Sign(pattern, groups=6, covered=0.3, largest=0.25, numbered=True)


_SIGNS = (
    _sure(rf"{_START}([^/]+)_(?:jpe?g|png|bmp|webp)\.rf\.[0-9a-zA-Z]+{_SUFFIX}"),
    _sure(rf"(?i){_START}{_IN_FOLDER}([_ .-]+(?:{_MADE})(?![a-z])[^/]*)?{_SUFFIX}"),
    _sure(rf"(?i){_START}{_IN_FOLDER}(\s?\(\d{{1,2}}\)|[ _-]+copy(?:\s?\(?\d+\)?)?)?{_SUFFIX}"),
    _likely(rf"{_START}([^/]*[A-Za-z][^/]*\d[^/]*)[_ .-]+{_NUMBERED}{_SUFFIX}"),
    _likely(rf"{_START}((?:[^/]+/)?\d+)[_ .-]+{_NUMBERED}{_SUFFIX}"),
    _likely(r"/([^/]*\d[^/]*)/[^/]+$"),
)


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Groups that names suggest.

    Attributes:
        pattern: for `data.group`.
        groups: name of each group of two images or more, to its rows.
    """

    pattern: str
    groups: dict[str, NDArray[np.int64]]


def suspect(names: Sequence[str], labels: Sequence[str]) -> Suspicion | None:
    """Looks for groups in file names.

    Args:
        names: paths relative to the data.
        labels: class of each.

    Returns:
        The groups of the surest sign, or None where nothing suggests any.
    """
    dated = sum(1 for name in names if _DATE.search(name)) > _DATED * len(names)
    for sign in _SIGNS:
        if not (dated and sign.numbered):
            groups = _groups(sign, names, labels)
            if groups is not None:
                return Suspicion(sign.pattern, groups)
    return None


def _groups(
    sign: _Sign, names: Sequence[str], labels: Sequence[str]
) -> dict[str, NDArray[np.int64]] | None:
    """The groups that a sign makes; None where they do not look like groups."""
    pattern = re.compile(sign.pattern)
    rows: dict[str, list[int]] = {}
    copies: set[str] = set()
    for row, name in enumerate(names):
        if found := pattern.search(name):
            rows.setdefault(found[1], []).append(row)
            if found[pattern.groups]:
                copies.add(found[1])
    groups = {group: rows[group] for group in rows if len(rows[group]) > 1 and group in copies}
    sizes = [len(members) for members in groups.values()]
    if (
        len(groups) < sign.groups
        or sum(sizes) < sign.covered * len(names)
        or max(sizes) > sign.largest * len(names)
        or _follow_classes(groups, labels)
    ):
        return None
    return {group: np.array(members, np.int64) for group, members in groups.items()}


def _follow_classes(groups: dict[str, list[int]], labels: Sequence[str]) -> bool:
    """Whether most classes lie in a group or two: then the stem is the class's, and no group."""
    inside: dict[str, set[str]] = {}
    for group, members in groups.items():
        for row in members:
            inside.setdefault(labels[row], set()).add(group)
    few = sum(1 for found in inside.values() if len(found) <= _FEW)
    return 2 * few > len(inside)
