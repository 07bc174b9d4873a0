"""What TensorFlow Serving's own test expects of the process: flags, files, socket, its end."""

import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import grpc
import pytest
import tensorflow as tf
from plain_models import NAMES, config_of
from tensorflow.python.profiler import profiler_client
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

ROOT = Path(__file__).parents[3]


def predict(target: str, model: str) -> float:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([2.0]))
    with grpc.insecure_channel(target) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        return float(stub.Predict(request, timeout=30).outputs["y"].float_val[0])


def test_the_unix_socket_answers(own: Any) -> None:
    assert predict(f"unix:{own.socket}", "half_plus_two") == 3.0


def test_the_profiler_answers(own: Any, server: Any, tmp_path: Path) -> None:
    # As in TensorFlow Serving's test, requests go on meanwhile: without events there is no trace.
    stopping = threading.Event()

    def ask() -> None:
        while not stopping.is_set():
            predict(server.grpc, "half_plus_two")

    client = threading.Thread(target=ask)
    client.start()
    try:
        profiler_client.trace(server.grpc, str(tmp_path), 500, "", 10)
    finally:
        stopping.set()
        client.join()
    assert list(tmp_path.rglob("*.xplane.pb"))


def test_a_config_file_that_changes_is_followed(own: Any, server: Any) -> None:
    def await_status(model: str, status: int) -> None:
        deadline = time.monotonic() + 60
        body = {"inputs": {"x": [2.0]}}
        while server.ask("POST", f"/v1/models/{model}:predict", body)[0] != status:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    only_three = config_of(server.models, "half_plus_three")
    own.config.write_text(only_three, encoding="utf-8")
    await_status("half_plus_two", 404)
    assert predict(server.grpc, "half_plus_three") == 4.0
    own.config.write_text("nothing of the kind", encoding="utf-8")
    own.config.write_text(config_of(server.models, *NAMES), encoding="utf-8")
    await_status("half_plus_two", 200)


def test_a_config_file_that_is_none_is_told_and_ends_the_server(tmp_path: Path) -> None:
    bad = tmp_path / "bad.config"
    bad.write_text("improperly formatted file", encoding="utf-8")
    command = [sys.executable, "-m", "serving", "--port=0", f"--model_config_file={bad}"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, timeout=300)
    assert ended.returncode != 0
    assert b"Error parsing text-format tensorflow.serving.ModelServerConfig" in ended.stderr


def test_it_refuses_new_connections_once_it_is_told_to_stop(own: Any, server: Any) -> None:
    host, port = server.rest.split(":")
    own.process.send_signal(signal.SIGTERM)
    assert own.process.wait(60) == 0
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((host, int(port)), timeout=5)
