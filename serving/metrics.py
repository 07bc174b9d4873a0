"""What Prometheus is told, under the names that TensorFlow Serving's dashboards ask for.

Times are microseconds, as there. Counting a request takes some ten of them.
"""

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

import grpc
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.process_collector import ProcessCollector

from serving.errors import ServingError

_PREFIX: Final = ":tensorflow:serving:"
_LOAD: Final = ":tensorflow:cc:saved_model:"
_TIMES: Final = tuple(10 * 1.8**power for power in range(33))
_SIZES: Final = tuple(2**power for power in range(15))
_UNKNOWN: Final = "(unknown)"

# The library adds to names what TensorFlow Serving does not, and times that it does not tell.
_CREATED: Final = re.compile(rb"^(?:# (?:HELP|TYPE) )?:tensorflow:\S+_created\b.*\n", re.MULTILINE)
_TOTAL: Final = re.compile(rb"^((?:# (?:HELP|TYPE) )?:tensorflow:\w[\w:]*?)_total\b", re.MULTILINE)


@dataclass
class Outcome:
    """How a request ended, once it has.

    Attributes:
        status: OK, or why it failed.
        seconds: that it took.
    """

    status: grpc.StatusCode = grpc.StatusCode.INTERNAL
    seconds: float = 0.0


class Metrics:
    """Counts of one server."""

    def __init__(self) -> None:
        """Begins to count."""
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._models: set[str] = set()
        counter = partial(Counter, registry=registry)
        histogram = partial(Histogram, registry=registry)
        self._requests = counter(
            _PREFIX + "request_count", "Requests by their status.", ["model_name", "status"]
        )
        self._latency = histogram(
            _PREFIX + "request_latency",
            "Microseconds of requests that succeeded.",
            ["model_name", "API", "entrypoint"],
            buckets=_TIMES,
        )
        self._runs = histogram(
            _PREFIX + "runtime_latency",
            "Microseconds of runs of the graph, each for one request or a batch of them.",
            ["model_name", "API", "runtime"],
            buckets=_TIMES,
        )
        self._rows = histogram(
            _PREFIX + "batching_session:processed_batch_size",
            "Rows of a run of the graph, with those that only fill it up.",
            ["model_name"],
            buckets=_SIZES,
        )
        self._warm_ups = histogram(
            _PREFIX + "model_warmup_latency",
            "Microseconds of the warm-up of a version.",
            ["model_path", "status"],
            buckets=_TIMES,
        )
        self._attempts = counter(
            _LOAD + "load_attempt_count",
            "How often a version was loaded, by the outcome.",
            ["model_path", "status"],
        )
        self._loading = counter(
            _LOAD + "load_latency", "Microseconds that loading a version took.", ["model_path"]
        )
        self._entries = counter(
            "graft_request_log_entries",
            "Entries for the request log: written whole, counted alone, or dropped.",
            ["outcome"],
        )
        # Finding a series by its labels would cost more than counting in it.
        self._entries_of = cache(self._entries.labels)
        self._count_of = cache(self._requests.labels)
        self._latency_of = cache(self._latency.labels)

    @contextmanager
    def request(self, model: str, api: str, entrypoint: str) -> Iterator[Outcome]:
        """Counts what the block does as one request, and says afterwards how it ended.

        Args:
            model: its name, as the client gives it; names of no model are counted as one.
            api: `Predict`, `Classify`, `Regress` or `MultiInference`.
            entrypoint: `REST` or `GRPC`.
        """
        started = time.perf_counter()
        outcome = Outcome()
        try:
            yield outcome
            outcome.status = grpc.StatusCode.OK
        except ServingError as error:
            outcome.status = error.code
            raise
        except asyncio.CancelledError:
            outcome.status = grpc.StatusCode.CANCELLED
            raise
        finally:
            outcome.seconds = time.perf_counter() - started
            name = model if model in self._models else _UNKNOWN
            self._count_of(name, outcome.status.name).inc()
            if outcome.status is grpc.StatusCode.OK:
                self._latency_of(name, api, entrypoint).observe(outcome.seconds * 1e6)

    def logged(self, outcome: str) -> None:
        """Counts an entry of the request log: `whole`, `counted` or `dropped`."""
        self._entries_of(outcome).inc()

    def runs(self, model: str) -> Callable[[float, int], None]:
        """Makes a function that counts a run of `model`'s graph: its seconds, and its rows."""
        self._models.add(model)
        times, rows = self._runs.labels(model, "Run", "TF1"), self._rows.labels(model)

        def count(seconds: float, size: int) -> None:
            times.observe(seconds * 1e6)
            rows.observe(size)

        return count

    @contextmanager
    def load(self, directory: Path) -> Iterator[None]:
        """Counts the block as an attempt to load the version in `directory`."""
        started = time.perf_counter()
        status = "fail"
        try:
            yield
            status = "success"
        finally:
            self._attempts.labels(str(directory), status).inc()
            self._loading.labels(str(directory)).inc(_since(started))

    @contextmanager
    def warm_up(self, directory: Path) -> Iterator[None]:
        """Counts the block as the warm-up of the version in `directory`."""
        started = time.perf_counter()
        status = grpc.StatusCode.INTERNAL
        try:
            yield
            status = grpc.StatusCode.OK
        except ServingError as error:
            status = error.code
            raise
        finally:
            self._warm_ups.labels(str(directory), status.name).observe(_since(started))

    def page(self) -> bytes:
        """Everything, in Prometheus' text format."""
        text = _CREATED.sub(b"", generate_latest(self._registry))
        return _TOTAL.sub(rb"\1", text)


def _since(started: float) -> float:
    return (time.perf_counter() - started) * 1e6
