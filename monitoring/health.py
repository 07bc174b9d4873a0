"""What the monitor says of a served version, for people, programs and Prometheus alike."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timezone
from typing import Any, Final

from monitoring.accuracy.report import AccuracyReport
from monitoring.decision import Decision
from monitoring.evidence.drift_report import DriftReport

EXIT_CODES: Final[Mapping[str, int]] = {
    "healthy": 0,
    "drift": 10,
    "harmful": 11,
    "data fault": 12,
    "too little data": 13,
}
"""Health to the exit code of `graft monitor`."""


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
    def last(self) -> int | None:
        """The minute of the last answer, seconds since 1970; None for no answer."""
        return max(self.by_minute, default=None)

    @property
    def errors(self) -> int:
        """Answers that are errors."""
        return self.answers - self.by_status.get("OK", 0)


@dataclass(frozen=True)
class Health:
    """All that is known of a version.

    Attributes:
        time: of the look, seconds since 1970.
        model: its name in the serving API.
        version: its number.
        images: different images that were looked at.
        requests: to all versions.
        drift: what moved; None before any image.
        accuracy: how many answers are right; None before any image.
        decision: what to do.
    """

    time: float
    model: str
    version: int
    images: int
    requests: Requests
    drift: DriftReport | None
    accuracy: AccuracyReport | None
    decision: Decision

    @property
    def exit_code(self) -> int:
        """Of `graft monitor`."""
        return EXIT_CODES[self.decision.health]

    def to_json(self) -> dict[str, Any]:
        """The content of `health.json`; its keys are a contract.

        Times are seconds since 1970, shares are in 0..1, and what is not known is None.
        """
        when = datetime.fromtimestamp(self.time, timezone.utc).isoformat(timespec="seconds")
        return {
            "format": 1,
            "health": self.decision.health,
            "exit_code": self.exit_code,
            "looked_at": when,
            **_plain(self),
        }


def _plain(value: Any) -> Any:
    """Turns what reports are made of into what JSON knows."""
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(each) for each in value]
    if hasattr(value, "item"):  # a number of NumPy's
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
