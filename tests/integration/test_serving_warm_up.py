"""Warm-up requests of a version, and what Prometheus hears of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import tensorflow as tf
from plain_models import write_v1
from tensorflow_serving.apis import prediction_log_pb2

from serving.errors import ServingError
from serving.inference.batching_parameters import BatchingParameters
from serving.inference.model_loader import MOST_RECORDS, WARM_UP_FILE, ModelLoader
from serving.inference.runner import Runner
from serving.metrics import Metrics


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("exported") / "1"
    write_v1(directory, 2.0)
    return directory


@pytest.fixture
def version(exported: Path, tmp_path: Path) -> Path:
    shutil.copytree(exported, tmp_path / "1")
    return tmp_path / "1"


@pytest.fixture(params=[None, BatchingParameters(max_batch_size=4)], ids=["alone", "batched"])
def runner(request: pytest.FixtureRequest) -> Iterator[Runner]:
    made = Runner(batching=request.param)
    yield made
    made.close()


def write_warm_up(version: Path, *records: bytes) -> None:
    file = version / WARM_UP_FILE
    file.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(file)) as writer:
        for record in records:
            writer.write(record)


def prediction(value: float = 2.0, signature: str = "") -> bytes:
    log = prediction_log_pb2.PredictionLog()
    request = log.predict_log.request
    request.model_spec.signature_name = signature
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([value]))
    return bytes(log.SerializeToString())


def example_logs() -> list[bytes]:
    example = tf.train.Example()
    example.features.feature["x"].float_list.value.append(2.0)
    logs = [prediction_log_pb2.PredictionLog() for _ in range(3)]
    classify, regress = logs[0].classify_log.request, logs[1].regress_log.request
    classify.model_spec.signature_name = "classify_x_to_y"
    regress.model_spec.signature_name = "regress_x_to_y2"
    both = logs[2].multi_inference_log.request
    for method in ("classify", "regress"):
        task = both.tasks.add(method_name=f"tensorflow/serving/{method}")
        task.model_spec.signature_name = f"{method}_x_to_y"
    for request in (classify, regress, both):
        request.input.example_list.examples.append(example)
    return [bytes(log.SerializeToString()) for log in logs]


def test_a_version_answers_its_warm_up_requests_first(version: Path, runner: Runner) -> None:
    metrics = Metrics()
    write_warm_up(version, prediction(), *example_logs())
    model = ModelLoader(runner, metrics, warm_ups=2)("m", 1, version)
    page = metrics.page().decode()
    latency = f'model_warmup_latency_count{{model_path="{version}",status="OK"}} 1.0'
    assert f":tensorflow:serving:{latency}" in page
    attempts = f'load_attempt_count{{model_path="{version}",status="success"}} 1.0'
    assert f":tensorflow:cc:saved_model:{attempts}" in page
    model.close()


@pytest.mark.parametrize(
    ("records", "message"),
    [
        ([prediction(signature="none")], 'Serving signature key "none" not found.'),
        ([b"\xff"], "holds a record that is no PredictionLog"),
        ([b""], "Unsupported log_type for warmup: None"),
        ([prediction()] * (MOST_RECORDS + 1), "exceeds the maximum (1000)"),
    ],
)
def test_a_version_that_fails_its_warm_up_does_not_load(
    version: Path, records: list[bytes], message: str
) -> None:
    runner = Runner()
    write_warm_up(version, *records)
    with pytest.raises(ServingError) as caught:
        ModelLoader(runner, Metrics())("m", 1, version)
    assert message in caught.value.message
    ModelLoader(runner, Metrics(), warm_ups=0)("m", 1, version).close()
    runner.close()


def test_a_truncated_warm_up_file_fails_the_load(version: Path) -> None:
    write_warm_up(version, prediction())
    file = version / WARM_UP_FILE
    file.write_bytes(file.read_bytes()[:-3])
    runner = Runner()
    with pytest.raises(ServingError) as caught:
        ModelLoader(runner, Metrics())("m", 1, version)
    assert caught.value.code.name == "DATA_LOSS"
    runner.close()
