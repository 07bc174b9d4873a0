"""Prometheus' text, under TensorFlow Serving's names."""

import asyncio
from pathlib import Path

import grpc
import pytest
from prometheus_client.parser import text_string_to_metric_families

from serving.errors import ServingError
from serving.metrics import Metrics


def samples(metrics: Metrics) -> dict[tuple[str, tuple[str, ...]], float]:
    """Name, which the parser gives an ending if it is a counter's, and labels to value."""
    families = text_string_to_metric_families(metrics.page().decode())
    return {
        (sample.name.removesuffix("_total"), tuple(sample.labels.values())): sample.value
        for family in families
        for sample in family.samples
    }


def test_requests_are_counted_by_status_and_timed_if_they_succeed() -> None:
    metrics = Metrics()
    metrics.runs("m")(0.004, 8)
    for _ in range(2):
        with metrics.request("m", "Predict", "GRPC"):
            pass
    for error in (ServingError(grpc.StatusCode.UNAVAILABLE, "full"), asyncio.CancelledError()):
        with pytest.raises(type(error)), metrics.request("m", "Predict", "REST"):
            raise error
    for name in ("x", "y"):
        with pytest.raises(KeyError), metrics.request(name, "Predict", "REST"):
            raise KeyError(name)
    found = samples(metrics)
    requests = {key[1]: value for key, value in found.items() if key[0].endswith("request_count")}
    assert requests == {
        ("m", "OK"): 2, ("m", "UNAVAILABLE"): 1, ("m", "CANCELLED"): 1,
        ("(unknown)", "INTERNAL"): 2,
    }  # fmt: skip
    assert found[":tensorflow:serving:request_latency_count", ("Predict", "GRPC", "m")] == 2
    assert found[":tensorflow:serving:runtime_latency_sum", ("Run", "m", "TF1")] == 4000
    assert found[":tensorflow:serving:batching_session:processed_batch_size_sum", ("m",)] == 8


def test_a_load_that_fails_is_counted(tmp_path: Path) -> None:
    metrics = Metrics()
    with pytest.raises(OSError, match="gone"), metrics.load(tmp_path):
        raise OSError("gone")
    name = ":tensorflow:cc:saved_model:load_attempt_count"
    assert samples(metrics)[name, (str(tmp_path), "fail")] == 1


def test_the_page_has_types_and_no_names_that_the_official_server_does_not_have() -> None:
    page = Metrics().page().decode()
    assert "# TYPE :tensorflow:serving:request_count counter\n" in page
    assert "# TYPE :tensorflow:serving:request_latency histogram\n" in page
    ours = [line for line in page.splitlines() if ":tensorflow" in line]
    assert not [line for line in ours if "_created" in line or "_total" in line]
