"""The monitor's figures for Prometheus: computed from the last look whenever it is asked."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest, start_http_server
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from models.errors import UsageError
from models.listening import host_and_port
from monitoring.health import EXIT_CODES, Health

_ACTIONS: Final = ("retrain", "page", "nothing")
_MODEL: Final = ("model", "version")


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
        if self._health is not None:
            yield from _requests(self._health)
            yield from _verdict(self._health)
            yield from _drift(self._health)
            yield from _accuracy(self._health)


def _gauge(name: str, about: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"graft_monitor_{name}", about, labels=(*_MODEL, *labels))


def _of(health: Health) -> list[str]:
    return [health.model, str(health.version)]


def _requests(health: Health) -> Iterator[Metric]:
    asked, own = health.requests, _of(health)
    looked = _gauge("last_look_timestamp_seconds", "When the log was last read.")
    looked.add_metric(own, health.time)
    yield looked
    if asked.last is not None:
        last = _gauge("last_answer_timestamp_seconds", "Time of the last answer in the log.")
        last.add_metric(own, asked.last)
        yield last
    answers = _gauge("answers", "Answers of the newest 24 hours of the log.", "status")
    for status, count in sorted(asked.by_status.items()):
        answers.add_metric([*own, status], count)
    yield answers
    dropped = _gauge("dropped_answers", "Those of the same hours that were not written down.")
    dropped.add_metric(own, asked.dropped)
    yield dropped
    damaged = _gauge("damaged_files", "Files of the log that cannot be read to their end.")
    damaged.add_metric(own, len(asked.damaged))
    yield damaged
    images = _gauge("images", "Different images that this version answered and that were read.")
    images.add_metric(own, health.images)
    yield images


def _verdict(health: Health) -> Iterator[Metric]:
    states = _gauge("health", "1 for what the version is, 0 for the others.", "health")
    for name in EXIT_CODES:
        states.add_metric([*_of(health), name], health.decision.health == name)
    yield states
    actions = _gauge("decision", "1 for what is to be done, 0 for the others.", "action")
    for action in _ACTIONS:
        actions.add_metric([*_of(health), action], health.decision.action == action)
    yield actions


def _drift(health: Health) -> Iterator[Metric]:
    own = _of(health)
    evidence = _gauge("drift_log_evidence", "Natural logarithm of the evidence.", "signal")
    alarm = _gauge("drift_alarm", "1 where the signal moved.", "signal")
    median = _gauge("signal_median", "Median of a signal.", "signal", "images")
    for each in health.drift.signals:
        evidence.add_metric([*own, each.name], each.log_e)
        alarm.add_metric([*own, each.name], each.alarm)
        median.add_metric([*own, each.name, "reference"], each.reference_median)
        median.add_metric([*own, each.name, "now"], each.now_median)
    yield from (evidence, alarm, median)


def _accuracy(health: Health) -> Iterator[Metric]:
    found = health.accuracy
    own = _of(health)
    if found.estimate is not None:
        estimate = _gauge("accuracy_estimate", "Share of right answers, without labels.", "bound")
        for bound, value in (("low", found.low), ("value", found.estimate), ("high", found.high)):
            estimate.add_metric([*own, bound], value)
        yield estimate
    reliable = _gauge("accuracy_reliable", "1 where the estimate can be relied on.")
    reliable.add_metric(own, found.reliable)
    yield reliable
    reference = _gauge("accuracy_reference", "Share of right answers on held-out images.")
    reference.add_metric(own, found.reference)
    yield reference
    if found.labelled is None:
        return
    labelled = _gauge("accuracy_labelled", "Share of right answers by labels.", "bound")
    true = found.labelled
    for bound, value in (("low", true.low), ("value", true.value), ("high", true.high)):
        labelled.add_metric([*own, bound], value)
    yield labelled
    count = _gauge("labelled_images", "Images whose label came later.")
    count.add_metric(own, true.images)
    yield count
