"""What the monitor says of a served version, for people, programs and Prometheus alike."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime, timezone
from typing import Any, Final

from monitoring.accuracy.report import AccuracyReport
from monitoring.accuracy.skew import SkewReport
from monitoring.data_faults import DataFault
from monitoring.decision import Decision
from monitoring.decision_memory import episode_of
from monitoring.evidence.drift_report import DriftReport
from monitoring.requests import Requests

EXIT_CODES: Final[Mapping[str, int]] = {
    "healthy": 0,
    "drift": 10,
    "harmful": 11,
    "data fault": 12,
    "too little data": 13,
}
"""Health to the exit code of `graft monitor`."""


@dataclass(frozen=True)
class Health:
    """All that is known of a version.

    Attributes:
        time: of the look, seconds since 1970.
        model: its name in the serving API.
        version: its number.
        images: different images that were looked at.
        requests: to all versions.
        drift: what moved.
        accuracy: how many answers are right.
        faults: what is wrong with what is sent.
        skew: how the server answers images that were held out; None where none was sent.
        decision: what to do.
    """

    time: float
    model: str
    version: int
    images: int
    requests: Requests
    drift: DriftReport
    accuracy: AccuracyReport
    faults: tuple[DataFault, ...]
    skew: SkewReport | None
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
        told = _plain(self)
        del told["decision"]["past"]
        told["decision"]["episode"] = episode_of(self.version, self.decision.past)
        return {
            "format": 1,
            "health": self.decision.health,
            "exit_code": self.exit_code,
            "looked_at": when,
            **told,
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
