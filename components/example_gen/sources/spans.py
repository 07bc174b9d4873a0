"""Paths that hold a placeholder for the number, or the date, of the newest data.

TFX has functions for this, but they take the whole path for a pattern: a folder called `photos [1]`
is not found by them.
"""

import datetime
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from models.errors import BadDataError

_PLACEHOLDER = re.compile(r"\{(SPAN|VERSION|YYYY|MM|DD)(?::([1-9]\d*))?\}")
_DATE = {"YYYY": "4", "MM": "2", "DD": "2"}
"""Placeholders of a date, with the number of their digits."""
_NUMBER = "[0-9]{1,18}"
"""What ML Metadata can hold."""
_FIRST_DAY = datetime.date(1970, 1, 1)
"""Span 0."""

_Values = dict[str, str]
"""Digits that stand in the place of each placeholder."""


@dataclass(frozen=True, slots=True)
class Location:
    """A path whose placeholders are filled.

    Attributes:
        path: absolute.
        span: number of the newest span, days since 1970 for a date; 0 where the path has none.
        version: number of its newest version; None where the path has none.
    """

    path: str
    span: int = 0
    version: int | None = None


def has_placeholder(path: str) -> bool:
    """Whether a path holds `{SPAN}`, `{VERSION}` or a part of a date; other braces mean nothing."""
    return bool(_PLACEHOLDER.search(path))


def newest(pattern: str) -> Location:
    """Finds the newest version of the newest span; what holds no number in its place is no span.

    Args:
        pattern: an absolute path with placeholders. Only they stand for something else.

    Raises:
        BadDataError: the placeholders do not go together, or match nothing that can be listed.
    """
    names = [name for name, _ in _PLACEHOLDER.findall(pattern)]
    spans = [name for name in names if name != "VERSION"]
    if len(set(names)) < len(names) or sorted(spans) not in (["SPAN"], sorted(_DATE)):
        raise BadDataError(
            f"The placeholders of {pattern} do not go together: expected {{SPAN}}, or {{YYYY}}, "
            "{MM} and {DD}, and if need be {VERSION}, each once."
        )
    try:
        found = [_location(path, values) for path, values in _filled(pattern)]
    except OSError as error:
        raise BadDataError(f"{error.filename} cannot be read: {error.strerror}.") from error
    dated = [each for each in found if each is not None]
    if not dated:
        raise BadDataError(f"No span was found: nothing lies at {pattern}, whatever the number.")
    return max(dated, key=lambda each: (each.span, each.version or 0, each.path))


def _filled(pattern: str) -> Iterator[tuple[str, _Values]]:
    """Every path that exists and matches."""
    root, *parts = Path(pattern).parts
    found: list[tuple[str, _Values]] = [(root, {})]
    for part in parts:
        found = [step for place, values in found for step in _next(place, part, values)]
    return ((path, values) for path, values in found if Path(path).exists())


def _next(folder: str, part: str, values: _Values) -> Iterator[tuple[str, _Values]]:
    if not has_placeholder(part):
        yield str(Path(folder, part)), values
    elif Path(folder).is_dir():
        matcher = _matcher(part)
        for name in os.listdir(folder):  # noqa: PTH208 - names alone, as fast as can be
            if match := matcher.fullmatch(name):
                yield str(Path(folder, name)), values | match.groupdict()


def _matcher(part: str) -> re.Pattern[str]:
    """Matches the names that a part of the path stands for."""
    text, end = "", 0
    for placeholder in _PLACEHOLDER.finditer(part):
        name, width = placeholder.groups()
        width = width or _DATE.get(name)
        digits = f"[0-9]{{{width}}}" if width else _NUMBER
        text += f"{re.escape(part[end : placeholder.start()])}(?P<{name}>{digits})"
        end = placeholder.end()
    return re.compile(text + re.escape(part[end:]))


def _location(path: str, values: _Values) -> Location | None:
    """None where the numbers are not those of a day."""
    version = int(values["VERSION"]) if "VERSION" in values else None
    if "SPAN" in values:
        return Location(path, int(values["SPAN"]), version)
    try:
        day = datetime.date(*(int(values[name]) for name in _DATE))
    except ValueError:
        return None
    return Location(path, (day - _FIRST_DAY).days, version)
