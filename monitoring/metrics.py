"""The monitor's figures for Prometheus: computed from the last look whenever it is asked."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from models.errors import UsageError
from models.listening import host_and_port
from monitoring.health import EXIT_CODES, Health

_ACTIONS: Final = ("retrain", "page", "nothing")
_MODEL: Final = ("model", "version")

_Told = tuple[str, str, tuple[str, ...], Iterable[tuple[Any, ...]]]
"""Name, meaning and labels of a metric, and its rows: a value of each label, and the figure."""


class HealthMetrics(Collector):
    """Says what a look found; nothing before the first one."""

    def __init__(self) -> None:
        """Begins with nothing to say."""
        self._health: Health | None = None
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def text(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)

    def serve(self, host: str, port: int) -> None:
        """Answers Prometheus at /metrics, in a thread that ends with the process.

        Raises:
            UsageError: the port is taken, or the address is none of this machine.
        """
        try:
            start_http_server(port, host, self._registry)
        except OSError as error:
            raise UsageError(
                f"{host_and_port(host, port)} cannot be listened at ({error.strerror}). Choose"
                " another port with --metrics-port."
            ) from None

    def show(self, health: Health) -> None:
        """Takes what a look found."""
        self._health = health

    def collect(self) -> Iterator[Metric]:
        """Makes the metrics."""
        health = self._health
        if health is None:
            return
        for part in (_requests, _verdict, _drift, _accuracy):
            for name, about, labels, rows in part(health):
                gauge = GaugeMetricFamily(f"graft_monitor_{name}", about, labels=(*_MODEL, *labels))
                for *values, figure in rows:
                    gauge.add_metric([health.model, str(health.version), *values], figure)
                yield gauge


def _requests(health: Health) -> Iterator[_Told]:
    asked = health.requests
    yield "last_look_timestamp_seconds", "When the log was last read.", (), [(health.time,)]
    if asked.last is not None:
        about = "Time of the last answer in the log."
        yield "last_answer_timestamp_seconds", about, (), [(asked.last,)]
    about = "Answers of the newest 24 hours of the log."
    yield "answers", about, ("status",), sorted(asked.by_status.items())
    about = "Those of the same hours that were not written down."
    yield "dropped_answers", about, (), [(asked.dropped,)]
    about = "Files of the log that cannot be read to their end."
    yield "damaged_files", about, (), [(len(asked.damaged),)]
    about = "Different images that this version answered and that were read."
    yield "images", about, (), [(health.images,)]


def _verdict(health: Health) -> Iterator[_Told]:
    states = [(name, health.decision.health == name) for name in EXIT_CODES]
    yield "health", "1 for what the version is, 0 for the others.", ("health",), states
    actions = [(name, health.decision.action == name) for name in _ACTIONS]
    yield "decision", "1 for what is to be done, 0 for the others.", ("action",), actions


def _drift(health: Health) -> Iterator[_Told]:
    signals = health.drift.signals
    evidence = [(each.name, each.log_e) for each in signals]
    yield "drift_log_evidence", "Natural logarithm of the evidence.", ("signal",), evidence
    alarms = [(each.name, each.alarm) for each in signals]
    yield "drift_alarm", "1 where the signal moved.", ("signal",), alarms
    medians = [
        (each.name, images, median)
        for each in signals
        for images, median in (("reference", each.reference_median), ("now", each.now_median))
    ]
    yield "signal_median", "Median of a signal.", ("signal", "images"), medians


def _accuracy(health: Health) -> Iterator[_Told]:
    found, true = health.accuracy, health.accuracy.labelled
    if found.estimate is not None:
        bounds = [("low", found.low), ("value", found.estimate), ("high", found.high)]
        yield "accuracy_estimate", "Share of right answers, without labels.", ("bound",), bounds
    about = "1 where the estimate can be relied on."
    yield "accuracy_reliable", about, (), [(found.reliable,)]
    about = "Share of right answers on held-out images."
    yield "accuracy_reference", about, (), [(found.reference,)]
    if true is not None:
        bounds = [("low", true.low), ("value", true.value), ("high", true.high)]
        yield "accuracy_labelled", "Share of right answers by labels.", ("bound",), bounds
        yield "labelled_images", "Images whose label came later.", (), [(true.images,)]
