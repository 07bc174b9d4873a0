"""Paths that hold a placeholder for the number, or the date, of data that comes in spans.

TFX has functions for this, but they take the whole path for a pattern: a folder called `photos [1]`
is not found by them.
"""

import datetime
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from components.example_gen.sources.span_window import FIRST_DAY, SpanWindow
from models.errors import BadDataError

_PLACEHOLDER = re.compile(r"\{(SPAN|VERSION|DATE|YYYY|MM|DD)(?::([1-9]\d*))?\}")
_DATE = {"YYYY": "4", "MM": "2", "DD": "2"}
"""Placeholders of a date, with the number of their digits."""
_NUMBER = "[0-9]{1,18}"
"""What ML Metadata can hold."""
_DAY = r"[0-9]{4}-?[0-9]{2}-?[0-9]{2}"
"""What `{DATE}` stands for: 2026-11-28 or 20261128."""

_Values = dict[str, str]
"""Digits that stand in the place of each placeholder."""


@dataclass(frozen=True, slots=True)
class Location:
    """A path whose placeholders are filled.

    Attributes:
        path: absolute.
        span: number of the newest span, days since 1970 for a date; 0 where the path has none.
        version: number of its newest version; None where the path has none.
        name: the path from the first part with a placeholder on; empty where it has none.
    """

    path: str
    span: int = 0
    version: int | None = None
    name: str = ""

    @property
    def source(self) -> str:
        """The path up to the first part with a placeholder; the same for each span."""
        return self.path.removesuffix(self.name)


class Tree(Protocol):
    """Where spans are looked for: on this machine, or where they are to be fetched from."""

    def names(self, folder: str) -> list[str]:
        """What lies in a folder; nothing where there is none."""

    def is_there(self, path: str) -> bool:
        """Whether something lies at a path."""


class _Disk:
    def names(self, folder: str) -> list[str]:
        return os.listdir(folder) if Path(folder).is_dir() else []  # noqa: PTH208 - as fast as can be

    def is_there(self, path: str) -> bool:
        return Path(path).exists()


def has_placeholder(path: str) -> bool:
    """Whether a path holds `{SPAN}`, `{VERSION}` or a part of a date; other braces mean nothing."""
    return bool(_PLACEHOLDER.search(path))


def is_dated(path: str) -> bool:
    """Whether the spans of a path are days."""
    return any(name in ("DATE", "DD") for name, _ in _PLACEHOLDER.findall(path))


def chosen_spans(
    pattern: str, window: SpanWindow, tree: Tree | None = None
) -> tuple[Location, ...]:
    """Finds the newest version of each span; what holds no number in its place is no span.

    Args:
        pattern: an absolute path with placeholders. Only they stand for something else.
        window: which of the spans.
        tree: where to look; None for this machine's.

    Returns:
        The spans, the oldest first; at least one.

    Raises:
        BadDataError: the placeholders do not go together, or match nothing that can be listed, or
            nothing in the window, or its ends are no days; or two paths are the same version of a
            span in it.
    """
    names = [name for name, _ in _PLACEHOLDER.findall(pattern)]
    spans = sorted(name for name in names if name != "VERSION")
    if len(set(names)) < len(names) or spans not in (["SPAN"], ["DATE"], sorted(_DATE)):
        raise BadDataError(
            f"The placeholders of {pattern} do not go together: expected {{SPAN}}, or {{DATE}}, or "
            "{YYYY}, {MM} and {DD}, and if need be {VERSION}, each once."
        )
    window = _in_days(window) if is_dated(pattern) else window
    try:
        found = [
            _location(pattern, path, values) for path, values in _filled(pattern, tree or _Disk())
        ]
    except OSError as error:
        raise BadDataError(f"{error.filename} cannot be read: {error.strerror}.") from error
    newest: dict[int, Location] = {}
    for each in filter(None, found):
        before = newest.get(each.span)
        if before is None or _age(before) < _age(each):
            newest[each.span] = each
    if not newest:
        raise BadDataError(f"No span was found: nothing lies at {pattern}, whatever the number.")
    inside = sorted(span for span in newest if window.first <= span <= window.last)
    if not inside:
        raise BadDataError(
            f"None of the {len(newest)} spans at {pattern} lies in data.spans, {window.text!r}: the"
            f" oldest is {newest[min(newest)].name}, the newest {newest[max(newest)].name}."
        )
    chosen = tuple(newest[span] for span in inside[-window.most :])
    _refuse_twins(chosen, filter(None, found))
    return chosen


def _in_days(window: SpanWindow) -> SpanWindow:
    try:
        return window.in_days()
    except ValueError as error:
        raise BadDataError(f"data.spans, {window.text!r}: {error}.") from None


def _age(location: Location) -> tuple[int, str]:
    return location.version or 0, location.path


def _refuse_twins(chosen: Iterable[Location], found: Iterable[Location]) -> None:
    """Neither `07` nor `7` may be passed over, nor the same day written in two ways."""
    names: dict[tuple[int, int | None], list[str]] = {}
    for each in found:
        names.setdefault((each.span, each.version), []).append(each.name)
    for each in chosen:
        twins = sorted(names[each.span, each.version])
        if len(twins) > 1:
            raise BadDataError(
                f"Several paths below {each.source} are one and the same span: {', '.join(twins)}. "
                "Expected one: put together what they hold, or rename one. A newer version of a "
                "span is told by {VERSION} in data.path."
            )


def _filled(pattern: str, tree: Tree) -> Iterator[tuple[str, _Values]]:
    """Every path that exists and matches."""
    root, *parts = Path(pattern).parts
    found: list[tuple[str, _Values]] = [(root, {})]
    for part in parts:
        found = [step for place, values in found for step in _next(place, part, values, tree)]
    return ((path, values) for path, values in found if tree.is_there(path))


def _next(folder: str, part: str, values: _Values, tree: Tree) -> Iterator[tuple[str, _Values]]:
    if not has_placeholder(part):
        yield str(Path(folder, part)), values
        return
    matcher = _matcher(part)
    for name in tree.names(folder):
        if match := matcher.fullmatch(name):
            yield str(Path(folder, name)), values | match.groupdict()


def _matcher(part: str) -> re.Pattern[str]:
    """Matches the names that a part of the path stands for."""
    text, end = "", 0
    for placeholder in _PLACEHOLDER.finditer(part):
        name, width = placeholder.groups()
        width = width or _DATE.get(name)
        digits = _DAY if name == "DATE" else f"[0-9]{{{width}}}" if width else _NUMBER
        text += f"{re.escape(part[end : placeholder.start()])}(?P<{name}>{digits})"
        end = placeholder.end()
    return re.compile(text + re.escape(part[end:]))


def _location(pattern: str, path: str, values: _Values) -> Location | None:
    """None where the numbers are not those of a day."""
    version = int(values["VERSION"]) if "VERSION" in values else None
    depth = next(at for at, part in enumerate(Path(pattern).parts) if has_placeholder(part))
    name = "/".join(Path(path).parts[depth:])
    if "SPAN" in values:
        return Location(path, int(values["SPAN"]), version, name)
    day = (
        values["DATE"].replace("-", "")
        if "DATE" in values
        else "".join(values[name] for name in _DATE)
    )
    try:
        date = datetime.datetime.strptime(day, "%Y%m%d").date()
    except ValueError:
        return None
    return Location(path, (date - FIRST_DAY).days, version, name)
