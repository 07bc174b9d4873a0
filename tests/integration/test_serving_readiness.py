"""When the ports of a server are open: from ready to the beginning of the end."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from free_ports import free_port
from plain_models import write_v1
from serving_requests import request_json, server_settings
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from serving.servables.loader import LoadedModel
from serving.server.model_server import ModelServer

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("exported") / "1"
    write_v1(directory, 2.0)
    return directory


def ask(target: str, timeout: float = 60) -> float:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "m"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([2.0]))
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(target, options) as channel:
        stub = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = stub.Predict(request, timeout=timeout, wait_for_ready=True)
        return float(answer.outputs["y"].float_val[0])


def is_open(port: int | None) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port or 0), timeout=30).close()
    except (ConnectionRefusedError, ConnectionResetError):  # the second as it closes
        return False
    return True


def test_the_ports_open_when_the_model_is_there(tmp_path: Path, exported: Path) -> None:
    server = ModelServer(server_settings(tmp_path / "later"))
    starting = threading.Thread(target=server.start)
    starting.start()
    ports = (server.grpc_port, server.rest_port)
    time.sleep(0.2)
    assert [is_open(port) for port in ports] == [False, False]
    shutil.copytree(exported, tmp_path / "later" / "1")
    starting.join()
    assert [is_open(port) for port in ports] == [True, True]
    assert ask(f"127.0.0.1:{server.grpc_port}") == 3.0
    server.stop()


def test_who_is_served_at_the_end_gets_an_answer_and_others_no_connection(
    tmp_path: Path, exported: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered, leave, run = threading.Semaphore(0), threading.Event(), LoadedModel.run

    def held_up(
        model: LoadedModel, feeds: dict[str, Any], fetches: Sequence[str]
    ) -> list[np.ndarray]:
        entered.release()
        assert leave.wait(60)
        return run(model, feeds, fetches)

    monkeypatch.setattr(LoadedModel, "run", held_up)
    shutil.copytree(exported, tmp_path / "m" / "1")
    answers: list[Any] = []
    with ModelServer(server_settings(tmp_path / "m")) as server:
        target = f"127.0.0.1:{server.grpc_port}"
        body = b'{"instances": [2.0]}'
        path = "/v1/models/m:predict"
        clients = [
            threading.Thread(target=lambda: answers.append(ask(target))),
            threading.Thread(
                target=lambda: answers.append(request_json(server, "POST", path, body))
            ),
        ]
        for client in clients:
            client.start()
            assert entered.acquire(timeout=60)
        stopping = threading.Thread(target=server.stop)
        stopping.start()
        deadline = time.monotonic() + 60
        while any(is_open(port) for port in (server.grpc_port, server.rest_port)):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert (answers, server.registry.is_ready()) == ([], False)
        leave.set()
        for thread in (*clients, stopping):
            thread.join()
    assert sorted(answers, key=str) == [(200, {"predictions": [3.0]}), 3.0]


@pytest.mark.slow
def test_a_killed_server_starts_again_at_the_same_places(tmp_path: Path, exported: Path) -> None:
    shutil.copytree(exported, tmp_path / "m" / "1")
    port = free_port()
    command = [sys.executable, "-m", "serving", f"--port={port}", "--model_name=m"]
    command += [f"--model_base_path={tmp_path / 'm'}", f"--grpc_socket_path={tmp_path / 's'}"]
    for _ in range(2):
        process = subprocess.Popen(command, cwd=ROOT)
        assert ask(f"127.0.0.1:{port}", timeout=120) == 3.0
        assert ask(f"unix:{tmp_path / 's'}", timeout=120) == 3.0
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
