"""Which minutes of a log are the newest, where a clock may have been ahead and was set back."""

from collections.abc import Iterable, Mapping
from typing import Final

_MINUTES_OF_A_DAY: Final = 1_440
_AHEAD_SECONDS: Final = 3_600.0


def newest_minute(minutes: Iterable[int], now: float) -> int:
    """The newest minute that is not far ahead of the clock; the newest of all if none is.

    >>> newest_minute([60, 120, 9_000_000], now=130.0), newest_minute([9_000_000], now=130.0)
    (120, 9000000)
    """
    known = list(minutes)
    sound = [minute for minute in known if minute <= now + _AHEAD_SECONDS]
    return max(sound or known, default=0)


def newest_of(counts: Mapping[int, int]) -> dict[int, int]:
    """The newest minutes, as many as a day has; by their number, as one may be far ahead.

    Args:
        counts: beginning of a minute, seconds since 1970, to a number.
    """
    return dict(sorted(counts.items())[-_MINUTES_OF_A_DAY:])
