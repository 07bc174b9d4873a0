"""Times as other tuners write them."""

import datetime
from collections.abc import Iterable
from pathlib import Path

from models.history.imports.foreign_past import ForeignPastError

_UTC = datetime.timezone.utc


def read_time(text: object) -> datetime.datetime | None:
    """A date and time in ISO 8601, or with a space in the middle; None for anything else.

    Without a zone it is taken for UTC: what counts are differences.
    """
    if not isinstance(text, str):
        return None
    try:
        time = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=_UTC)


def seconds_between(start: object, end: object) -> float:
    """Seconds from one time to another, both as text; 0 where either is no time."""
    first, last = read_time(start), read_time(end)
    return max((last - first).total_seconds(), 0.0) if first and last else 0.0


def latest(times: Iterable[object], file: Path) -> str:
    """The latest of some times, ISO 8601, whole seconds; where there is none, that of a file.

    Raises:
        ForeignPastError: the file cannot be looked at.
    """
    known = [time for time in map(read_time, times) if time is not None]
    return (max(known) if known else _changed(file)).isoformat(timespec="seconds")


def from_seconds(since_1970: object) -> str:
    """A time as text of the seconds since 1970; empty where it is no such number."""
    if isinstance(since_1970, bool) or not isinstance(since_1970, int | float):
        return ""
    try:
        return datetime.datetime.fromtimestamp(since_1970, _UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def _changed(file: Path) -> datetime.datetime:
    try:
        return datetime.datetime.fromtimestamp(file.stat().st_mtime, _UTC)
    except OSError as error:
        raise ForeignPastError(f"{file}: {error.strerror or error}") from None
