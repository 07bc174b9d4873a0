"""What the counts of the log say of the newest requests."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from models.observation.log_entry import Counts
from monitoring.data_faults import Traffic

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


def requests_of(counts: Counts, model: str, damaged: Mapping[str, str]) -> Requests:
    """Gathers the newest day.

    Args:
        counts: of the whole log.
        model: name in the serving API; a request that named no model counts as its own too.
        damaged: files of the log, each with the reason.
    """
    newest = _newest(counts, model, _DAY)
    by_status: Counter[str] = Counter()
    by_minute: dict[int, tuple[int, int]] = {}
    for (minute, status), count in sorted(newest.items()):
        by_status[status] += count
        answers, errors = by_minute.get(minute, (0, 0))
        by_minute[minute] = answers + count, errors + (status != _OK) * count
    first = max(by_minute, default=0) - _DAY
    dropped = sum(number for minute, number in counts.dropped.items() if minute > first)
    return Requests(dict(by_status.most_common()), by_minute, dropped, damaged)


def traffic_of(
    counts: Counts, model: str, fresh: Mapping[int, int], again: Mapping[int, int]
) -> Traffic:
    """What faults are looked for in: the newest hour's answers, and how many images came again.

    What was answered and not written down, or cannot be read, need not have come before.

    Args:
        counts: of the whole log.
        model: name in the serving API.
        fresh: beginning of a minute to the answers to images that had not come before.
        again: the same of those that had.
    """
    statuses: Counter[str] = Counter()
    for (_, status), count in _newest(counts, model, _HOUR).items():
        statuses[status] += count
    first = max((*fresh, *again), default=0) - _HOUR
    repeats = sum(number for minute, number in again.items() if minute > first)
    return Traffic(dict(statuses), repeats)


def _newest(counts: Counts, model: str, seconds: int) -> Counter[tuple[int, str]]:
    own = {key: count for key, count in counts.requests.items() if key.model in (model, "")}
    first = max((key.minute for key in own), default=0) - seconds
    newest: Counter[tuple[int, str]] = Counter()
    for key, count in own.items():
        if key.minute > first:
            newest[key.minute, key.status] += count
    return newest
