"""Which of the spans that lie at a path are trained on: `data.spans`."""

import datetime
import re
from dataclasses import dataclass, replace
from typing import Final

from typing_extensions import Self

FIRST_DAY: Final = datetime.date(1970, 1, 1)
"""Span 0 where spans are days."""
_HIGHEST: Final = 10**18
_EXPECTED: Final = (
    'newest, all, "last 7", "last 7 until 2026-11-28", or a range such as 3..9, '
    "2026-11-01..2026-11-07 or 2026-11-01.."
)


@dataclass(frozen=True, slots=True)
class SpanWindow:
    """A choice among spans.

    Attributes:
        text: as the user wrote it.
        most: how many of the newest at most.
        first: lowest number.
        last: highest number.
    """

    text: str
    most: int = _HIGHEST
    first: int = -_HIGHEST
    last: int = _HIGHEST

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads `data.spans`.

        Raises:
            ValueError: it is not of the forms that it names.

        >>> SpanWindow.parse("last 7").most, SpanWindow.parse("3..9").last
        (7, 9)
        >>> SpanWindow.parse("newest until 9").last
        9
        """
        words = " ".join(text.split()).lower()
        if words == "all":
            return cls(words)
        if newest := re.fullmatch(r"(?:newest|last (\d{1,9}))(?: until (\S+))?", words):
            most = int(newest[1] or 1)
            if most:
                return cls(words, most=most, last=_number(newest[2] or "", _HIGHEST))
        first, dots, last = words.partition("..")
        if not dots or not (first or last):
            raise ValueError(_EXPECTED)
        low, high = _number(first, -_HIGHEST), _number(last, _HIGHEST)
        if high < low:
            raise ValueError(f"{_EXPECTED}, whose end is not before its beginning")
        return cls(words, first=low, last=high)

    def in_days(self) -> Self:
        """The same where spans are days: of a number, 20261128 is the day of that name.

        Raises:
            ValueError: there is no such day.
        """
        return replace(self, first=_day(self.first), last=_day(self.last))


def _number(text: str, default: int) -> int:
    plain = text.strip()
    if not plain:
        return default
    if re.fullmatch(r"\d{1,18}", plain, re.ASCII):
        return int(plain)
    try:
        return (datetime.date.fromisoformat(plain) - FIRST_DAY).days
    except ValueError:
        raise ValueError(_EXPECTED) from None


def _day(number: int) -> int:
    """Days since 1970; as such, a number of eight digits would be some 30,000 years away."""
    name = str(number)
    if not re.fullmatch(r"\d{8}", name):
        return number
    try:
        return (datetime.datetime.strptime(name, "%Y%m%d").date() - FIRST_DAY).days
    except ValueError:
        raise ValueError(f"{name} is no day") from None
