"""Which of the spans that lie at a path are trained on: `data.spans`."""

import datetime
import re
from dataclasses import dataclass
from typing import Final

from typing_extensions import Self

FIRST_DAY: Final = datetime.date(1970, 1, 1)
"""Span 0 where spans are days."""
_HIGHEST: Final = 10**18
_EXPECTED: Final = (
    'newest, all, "last 7", or a range such as 3..9, 2026-11-01..2026-11-07 or 2026-11-01..'
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
        """
        words = " ".join(text.split()).lower()
        if words == "newest":
            return cls(words, most=1)
        if words == "all":
            return cls(words)
        if (found := re.fullmatch(r"last (\d{1,9})", words)) and int(found[1]):
            return cls(words, most=int(found[1]))
        first, dots, last = words.partition("..")
        if not dots or not (first or last):
            raise ValueError(_EXPECTED)
        low, high = _number(first, -_HIGHEST), _number(last, _HIGHEST)
        if high < low:
            raise ValueError(f"{_EXPECTED}, whose end is not before its beginning")
        return cls(words, first=low, last=high)


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
