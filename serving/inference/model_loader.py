"""Brings a version into memory, and warms it up before anybody can ask it.

TensorFlow compiles and allocates at the first run: without a warm-up the first request after a swap
takes a hundred times as long as the others. A version brings its warm-up requests along, in
`assets.extra/tf_serving_warmup_requests` (https://www.tensorflow.org/tfx/serving/saved_model_warmup).
"""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import grpc
import tensorflow as tf
from google.protobuf.message import DecodeError
from tensorflow_serving.apis import prediction_log_pb2

from serving.errors import ServingError, from_number, invalid_argument
from serving.inference.example_calls import CLASSIFY, REGRESS, example_calls, example_task
from serving.inference.runner import Runner
from serving.inference.signature_call import SignatureCall, checked_call
from serving.metrics import Metrics
from serving.servables.loader import DEFAULT_SIGNATURE, LoadedModel
from serving.servables.memory import give_back_memory
from serving.servables.parallelism import Parallelism
from serving.tensors.tensor_protos import from_proto
from serving.tensors.tf_examples import serialized_examples

_log = logging.getLogger(__name__)
WARM_UP_FILE: Final = "assets.extra/tf_serving_warmup_requests"
MOST_RECORDS: Final = 1000
_BUSY: Final = (grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE)
_PAUSE_SECONDS: Final = 0.05
_PATIENCE_SECONDS: Final = 60.0


class ModelLoader:
    """Loads versions for a registry."""

    def __init__(
        self,
        runner: Runner,
        metrics: Metrics,
        warm_ups: int = 1,
        parallelism: Parallelism | None = None,
    ) -> None:
        """Prepares to load.

        Args:
            runner: runs the warm-up requests, on the way that requests will take.
            metrics: counts loads, warm-ups and runs.
            warm_ups: how often each warm-up request runs; 0 for no warm-up.
            parallelism: threads to compute with; the usual ones if None.
        """
        self._runner = runner
        self._metrics = metrics
        self._warm_ups = warm_ups
        self._parallelism = parallelism

    def __call__(self, name: str, version: int, directory: Path) -> LoadedModel:
        """Loads the version in `directory`, and runs its warm-up requests.

        Raises:
            ServingError: it does not load, or one of its warm-up requests fails.
        """
        with self._metrics.load(directory):
            model = LoadedModel(directory, self._parallelism)
        try:
            if self._warm_ups and (directory / WARM_UP_FILE).exists():
                with self._metrics.warm_up(directory):
                    count = self._warm_up(model, directory / WARM_UP_FILE)
                _log.info("Version %d of %s ran %d warm-up requests.", version, name, count)
        except BaseException:
            model.close()
            raise
        give_back_memory()
        model.watch = self._metrics.runs(name)
        return model

    def _warm_up(self, model: LoadedModel, file: Path) -> int:
        count = 0
        for record in _records(file):
            count += 1
            if count > MOST_RECORDS:
                message = f"Number of warmup records exceeds the maximum ({MOST_RECORDS}) at {file}"
                raise invalid_argument(message)
            for call in _calls_of(model, record):
                model.prepare(call.feeds, call.fetches)
                for _ in range(self._warm_ups):
                    self._run(call)
        return count

    def _run(self, call: SignatureCall) -> None:
        patient_until = time.monotonic() + _PATIENCE_SECONDS
        while not self._has_run(call, time.monotonic() < patient_until):
            time.sleep(_PAUSE_SECONDS)

    def _has_run(self, call: SignatureCall, is_patient: bool) -> bool:
        """Runs a call, or makes way for the requests that fill the server."""
        try:
            self._runner.submit_call(call, aside=True).result()
        except ServingError as error:
            if is_patient and error.code in _BUSY:
                return False
            raise
        return True


def _records(file: Path) -> Iterator[Any]:
    try:
        for content in tf.data.TFRecordDataset(str(file)).as_numpy_iterator():
            yield prediction_log_pb2.PredictionLog.FromString(content)
    except tf.errors.OpError as error:
        raise from_number(error.error_code, error.message) from error
    except DecodeError as error:
        raise invalid_argument(f"{file} holds a record that is no PredictionLog") from error


def _calls_of(model: LoadedModel, record: Any) -> list[SignatureCall]:
    match record.WhichOneof("log_type"):
        case "predict_log":
            request = record.predict_log.request
            inputs = {alias: from_proto(proto, alias) for alias, proto in request.inputs.items()}
            name = request.model_spec.signature_name or DEFAULT_SIGNATURE
            signature = model.signatures.get(name)
            if signature is None:
                message = f'Serving signature key "{name}" not found.'
                raise ServingError(grpc.StatusCode.FAILED_PRECONDITION, message)
            return [checked_call(model, signature, inputs, list(request.output_filter))]
        case "classify_log":
            request, tasks = record.classify_log.request, [CLASSIFY]
            names = [request.model_spec.signature_name]
        case "regress_log":
            request, tasks = record.regress_log.request, [REGRESS]
            names = [request.model_spec.signature_name]
        case "multi_inference_log":
            request = record.multi_inference_log.request
            tasks = [task.method_name for task in request.tasks]
            names = [task.model_spec.signature_name for task in request.tasks]
        case kind:
            message = f"Unsupported log_type for warmup: {kind}"
            raise ServingError(grpc.StatusCode.UNIMPLEMENTED, message)
    found = [
        example_task(model, task, name or DEFAULT_SIGNATURE)
        for task, name in zip(tasks, names, strict=True)
    ]
    return example_calls(model, found, serialized_examples(request.input))
