"""What the counts of the log say of the newest requests."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from models.observation.log_entry import Counts
from monitoring.data_faults import Traffic
from monitoring.newest_minutes import newest_minute

_OK: Final = "OK"
_HOUR: Final = 3_600
_DAY: Final = 86_400


@dataclass(frozen=True)
class Requests:
    """What the server was asked in the newest 24 hours of the log.

    Attributes:
        by_status: status of gRPC to the number of answers with it, written down or not.
        by_minute: beginning of a minute, seconds since 1970, to its answers and the errors among
            them, in the order of time.
        dropped: answers that were counted, but not written down though they should have been.
        damaged: files of the log that could not be read to their end, each with the reason.
    """

    by_status: Mapping[str, int]
    by_minute: Mapping[int, tuple[int, int]]
    dropped: int
    damaged: Mapping[str, str]

    @property
    def answers(self) -> int:
        """All of them."""
        return sum(self.by_status.values())

    @property
    def errors(self) -> int:
        """Answers that are errors."""
        return self.answers - self.by_status.get(_OK, 0)

    @property
    def last(self) -> int | None:
        """The minute of the last answer, seconds since 1970; None for no answer."""
        return max(self.by_minute, default=None)


def requests_of(
    counts: Counts, model: str, damaged: Mapping[str, str], now: float = math.inf
) -> Requests:
    """Gathers the newest day.

    Args:
        counts: of the whole log.
        model: name in the serving API; a request that named no model counts as its own too.
        damaged: files of the log, each with the reason.
        now: seconds since 1970; what is far ahead of it was noted while a clock was wrong.
    """
    newest = _newest(counts, model, _DAY, now)
    by_status: Counter[str] = Counter()
    by_minute: dict[int, tuple[int, int]] = {}
    for (minute, status), count in sorted(newest.items()):
        by_status[status] += count
        answers, errors = by_minute.get(minute, (0, 0))
        by_minute[minute] = answers + count, errors + (status != _OK) * count
    last = max(by_minute, default=0)
    dropped = sum(n for minute, n in counts.dropped.items() if last - _DAY < minute <= last)
    return Requests(dict(by_status.most_common()), by_minute, dropped, damaged)


def traffic_of(
    counts: Counts,
    model: str,
    fresh: Mapping[int, int],
    again: Mapping[int, int],
    now: float = math.inf,
) -> Traffic:
    """What faults are looked for in: the newest hour's answers, and how many images came again.

    What was answered and not written down, or cannot be read, need not have come before.

    Args:
        counts: of the whole log.
        model: name in the serving API.
        fresh: beginning of a minute to the answers to images that had not come before.
        again: the same of those that had.
        now: see `requests_of`.
    """
    statuses: Counter[str] = Counter()
    for (_, status), count in _newest(counts, model, _HOUR, now).items():
        statuses[status] += count
    last = newest_minute((*fresh, *again), now)
    repeats = sum(number for minute, number in again.items() if last - _HOUR < minute <= last)
    return Traffic(dict(statuses), repeats)


def _newest(counts: Counts, model: str, seconds: int, now: float) -> Counter[tuple[int, str]]:
    own = {key: count for key, count in counts.requests.items() if key.model in (model, "")}
    last = newest_minute((key.minute for key in own), now)
    newest: Counter[tuple[int, str]] = Counter()
    for key, count in own.items():
        if last - seconds < key.minute <= last:
            newest[key.minute, key.status] += count
    return newest
