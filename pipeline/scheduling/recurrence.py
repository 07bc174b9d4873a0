"""When to run again: words such as "day at 03:30", or the five fields of cron."""

import re
from dataclasses import dataclass
from typing import Final

from models.errors import UsageError

_DAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS: Final = (
    *("jan", "feb", "mar", "apr", "may", "jun"),
    *("jul", "aug", "sep", "oct", "nov", "dec"),
)
_WEEKDAYS: Final = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_FORMS: Final = (
    'Expected "30m", "6h", "day at 03:30", "monday at 04:00", "month at 03:00", or the five '
    'fields of cron, such as "30 2 * * 1-5"'
)


@dataclass(frozen=True, slots=True)
class _Field:
    """One of the five fields of cron: its name, its bounds, and words for its values."""

    name: str
    low: int
    high: int
    words: tuple[str, ...] = ()

    def values(self, text: str) -> tuple[int, ...]:
        """The values that a text stands for, in order; those of `*` are all."""
        found: set[int] = set()
        for part in text.split(","):
            span, slash, step = part.partition("/")
            low, high = self._bounds(span, has_step=bool(slash))
            each = self._number(step, 1, self.high) if slash else 1
            found.update(range(low, high + 1, each))
        # Sunday is 0 and 7.
        if self.name == "day of the week":
            found = {value % 7 for value in found}
        return tuple(sorted(found))

    def closed(self, text: str) -> str:
        """The same with the end of each range: `5/20` of minutes is `5-59/20`."""
        return ",".join(re.sub(r"^(\w+)/", rf"\1-{self.high}/", part) for part in text.split(","))

    def _bounds(self, span: str, *, has_step: bool) -> tuple[int, int]:
        if span == "*":
            return self.low, self.high
        first, dash, last = span.partition("-")
        low = self._value(first)
        high = self._value(last) if dash else self.high if has_step else low
        if high < low:
            raise UsageError(f"{_FORMS}; got {span!r}, a range that ends before it begins.")
        return low, high

    def _value(self, text: str) -> int:
        if text.lower() in self.words:
            return self.words.index(text.lower()) + self.low
        return self._number(text, self.low, self.high)

    def _number(self, text: str, low: int, high: int) -> int:
        if text.isascii() and text.isdecimal() and len(text) < 4 and low <= int(text) <= high:
            return int(text)
        raise UsageError(f"{_FORMS}; got {text!r} as the {self.name}, not in {low} to {high}.")


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of the week", 0, 7, _DAYS),
)
_LONGEST_MONTHS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Points in time that come again.

    Attributes:
        cron: the five fields: minute, hour, day of the month, month, day of the week; in a form
            that all crons understand.
    """

    cron: str

    def __post_init__(self) -> None:
        """Checks the fields.

        Raises:
            UsageError: they are not five, or one is wrong, or the days never come.
        """
        texts = self.cron.split(" ")
        if len(texts) != len(_FIELDS):
            raise UsageError(f"{_FORMS}; got {self.cron!r}.")
        _, _, days, months, _ = self._values()
        # Cron runs on a day that either field names, systemd on one that both name.
        if texts[2] != "*" and texts[4] != "*":
            raise UsageError(
                "Schedulers do not agree on what a day of the month and a day of the week mean "
                f"together; name one of them: {self.cron!r}."
            )
        if all(min(days) > _LONGEST_MONTHS[month - 1] for month in months):
            raise UsageError(f"No month of {self.cron!r} has such a day.")

    @property
    def kubernetes(self) -> str:
        """The same for Kubernetes, which knows Sunday as 0 alone."""
        *rest, week = self.cron.split(" ")
        named = ",".join(map(str, self._values()[4]))
        return " ".join([*rest, week if week == "*" else named])

    @property
    def calendar(self) -> str:
        """The same as systemd's `OnCalendar`."""
        *times, named = self._values()
        minutes, hours, days, months = (
            "*" if len(values) == field.high - field.low + 1 else ",".join(map(_two, values))
            for field, values in zip(_FIELDS, times, strict=False)
        )
        week = "" if len(named) == len(_DAYS) else ",".join(_DAYS[day].title() for day in named)
        return f"{week} *-{months}-{days} {hours}:{minutes}:00".strip()

    def _values(self) -> tuple[tuple[int, ...], ...]:
        texts = self.cron.split(" ")
        return tuple(field.values(text) for field, text in zip(_FIELDS, texts, strict=True))


def _two(value: int) -> str:
    return f"{value:02d}"


_EVERY: Final = re.compile(r"(\d{1,4}) ?(m|min|minutes?|h|hours?)")
_AT: Final = re.compile(rf"(day|weekday|week|month|{'|'.join(_WEEKDAYS)})(?: at (\d\d?):(\d\d))?")


def parse_every(text: str) -> Recurrence:
    """Reads `--every`.

    Args:
        text: "30m", "6h", "day", "day at 03:30", "weekday at …", "monday at …", "week at …" (on
            Mondays), "month at …" (on its first day), "hour", or the five fields of cron. Without
            a time it is midnight.

    Raises:
        UsageError: it is none of these, or an interval that does not divide an hour or a day.

    >>> parse_every("6h").cron, parse_every("monday at 04:05").cron
    ('0 */6 * * *', '5 4 * * 1')
    >>> parse_every("30 2 * * 1-5").calendar
    'Mon,Tue,Wed,Thu,Fri *-*-* 02:30:00'
    """
    plain = " ".join(text.split())
    words = plain.lower().removeprefix("every ")
    if words in ("hour", "hourly"):
        return Recurrence("0 * * * *")
    if interval := _EVERY.fullmatch(words):
        return _interval(int(interval[1]), interval[2].startswith("h"))
    if at := _AT.fullmatch(words):
        hour, minute = int(at[2] or 0), int(at[3] or 0)
        return Recurrence(f"{minute} {hour} {_day(at[1])}")
    fields = plain.split(" ")
    if len(fields) == len(_FIELDS):
        # Debian's cron takes no step after a single value.
        plain = " ".join(field.closed(text) for field, text in zip(_FIELDS, fields, strict=True))
    return Recurrence(plain)


def _interval(count: int, is_hours: bool) -> Recurrence:
    whole, unit = (24, "a day") if is_hours else (60, "an hour")
    if count == 0 or whole % count:
        divisors = ", ".join(str(each) for each in range(1, whole + 1) if whole % each == 0)
        raise UsageError(
            f"An interval must divide {unit}, so that it is the same every day; got {count}. "
            f"One of {divisors} does."
        )
    step = "*" if count == 1 else "0" if count == whole else f"*/{count}"
    return Recurrence(f"0 {step} * * *" if is_hours else f"{step} * * * *")


def _day(word: str) -> str:
    if word == "month":
        return "1 * *"
    if word == "day":
        return "* * *"
    week = "1-5" if word == "weekday" else "1"
    return f"* * {(_WEEKDAYS.index(word) + 1) % 7 if word in _WEEKDAYS else week}"
