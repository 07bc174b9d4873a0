"""The client and the embedded server: both APIs, bad images, restarts, and gRPC that fails."""

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from scripted_server import outputs
from serving_requests import rest_url, server_settings
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from models.errors import GraftError, UsageError
from serving.client import (
    Answer,
    AsyncGraftClient,
    GraftClient,
    PredictionError,
    RequestRefusedError,
    grpc_api,
)
from serving.server.model_server import ModelServer
from serving.tensors.tensor_protos import to_proto

_IMAGES = [b"one", b"two"]


@pytest.fixture(scope="module")
def base_path(small_models: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    (folder / "1").symlink_to(small_models[0])
    return folder


@pytest.fixture(scope="module")
def server(base_path: Path) -> Iterator[ModelServer]:
    with ModelServer(server_settings(base_path)) as running:
        yield running


def _address(server: ModelServer, api: str) -> str:
    return rest_url(server) if api == "REST" else f"grpc://127.0.0.1:{server.grpc_port}"


@pytest.mark.parametrize("api", ["REST", "gRPC"])
def test_an_image_that_the_server_refuses_takes_no_other_with_it(
    server: ModelServer, pictures: list[bytes], api: str
) -> None:
    with GraftClient(_address(server, api), "m") as client:
        told = client.predict_each([pictures[0], b"no image", *pictures, b""])
    assert [isinstance(each, Answer) for each in told] == [True, False, True, True, True, False]
    assert isinstance(told[1], RequestRefusedError)
    assert told[0] == told[2]


def test_both_clients_and_both_apis_say_the_same(
    server: ModelServer, pictures: list[bytes]
) -> None:
    async def ask(address: str) -> np.ndarray:
        async with AsyncGraftClient(address, "m", version=1) as client:
            each = await asyncio.gather(*(client.predict([image]) for image in pictures))
            return np.concatenate([one.probabilities for one in each])

    told = []
    for api in ("REST", "gRPC"):
        with GraftClient(_address(server, api), "m") as client:
            told.append(client.predict(pictures).probabilities)
        told.append(asyncio.run(ask(_address(server, api))))
    for other in told[1:]:
        np.testing.assert_allclose(other, told[0], atol=1e-6)


@pytest.mark.parametrize("api", ["REST", "gRPC"])
def test_a_folder_is_answered_through_a_restart(
    base_path: Path, pictures: list[bytes], tmp_path: Path, api: str
) -> None:
    paths = []
    for number in range(400):
        paths.append(tmp_path / f"{number:03}.png")
        paths[-1].write_bytes(pictures[number % 3])
    first = ModelServer(server_settings(base_path))
    first.start()
    assert first.rest_port
    assert first.grpc_port
    settings = replace(
        server_settings(base_path), port=first.grpc_port, rest_api_port=first.rest_port
    )
    servers = [first]

    def restart() -> None:
        first.stop()
        second = ModelServer(settings)
        second.start()
        servers.append(second)

    restarting = threading.Thread(target=restart)
    with GraftClient(_address(first, api), "m", timeout=300) as client:
        told = []
        for each in client.predict_files(paths):
            told.append(each)
            if len(told) == 32:
                restarting.start()
    restarting.join()
    servers[-1].stop()
    assert len(servers) == 2
    assert [path for path, _ in told] == paths
    labels = [said.labels for _, said in told if isinstance(said, Answer)]
    assert labels == labels[:3] * 133 + labels[:1]


Script = Callable[[grpc.ServicerContext], Any]


@contextmanager
def _grpc_server(
    *scripts: Script,
) -> Iterator[tuple[str, list[Any]]]:
    """Serves the scripts one after the other, the last one again and again."""
    seen: list[Any] = []

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, _: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802
            seen.append(dict(context.invocation_metadata()))
            return scripts[min(len(seen), len(scripts)) - 1](context)

    server = grpc.server(futures.ThreadPoolExecutor(4))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"grpc://127.0.0.1:{port}", seen
    finally:
        server.stop(None)


def _fails(code: grpc.StatusCode) -> Script:
    return lambda context: context.abort(code, "so it was told")


def _says(changed: dict[str, Any]) -> Script:
    response = predict_pb2.PredictResponse()
    arrays = {name: np.array(value) for name, value in outputs(2).items()}
    arrays["labels"] = np.array([[b"red", b"dark"]] * 2, dtype=object)
    for name, value in {**arrays, **changed}.items():
        response.outputs[name].CopyFrom(to_proto(value))
    return lambda _: response


def _asked(*scripts: Script, **options) -> tuple[str, int]:
    with (
        _grpc_server(*scripts) as (address, seen),
        GraftClient(address, "m", **options) as client,
        pytest.raises(PredictionError) as raised,
    ):
        client.predict(_IMAGES)
    return str(raised.value), len(seen)


@pytest.mark.parametrize("name", ["UNAVAILABLE", "RESOURCE_EXHAUSTED"])
def test_grpc_that_is_busy_is_asked_again(name: str) -> None:
    busy = _fails(grpc.StatusCode[name])
    with (
        _grpc_server(busy, busy, _says({})) as (address, seen),
        GraftClient(address, "m", api_key="secret") as client,
    ):
        assert client.predict(_IMAGES).labels == (("red", "dark"),) * 2
    assert len(seen) == 3
    assert len({each["x-request-id"] for each in seen}) == 1
    assert {each["x-api-key"] for each in seen} == {"secret"}


@pytest.mark.parametrize("name", ["INTERNAL", "NOT_FOUND", "UNAUTHENTICATED", "INVALID_ARGUMENT"])
def test_grpc_that_no_second_time_would_mend_is_told_at_once(name: str) -> None:
    words, requests = _asked(_fails(grpc.StatusCode[name]))
    assert f"so it was told ({name})" in words
    assert requests == 1


def test_grpc_that_stalls_is_waited_for_so_long() -> None:
    done = threading.Event()
    words, requests = _asked(lambda _: done.wait(60), timeout=0.4)
    done.set()
    assert words.endswith("did not answer within 0.4 s.")
    assert requests == 1


@pytest.mark.parametrize(
    "changed",
    [
        {"labels": np.array([[b"\xff", b"\xfe"]] * 2, dtype=object)},
        {"labels": np.zeros((2, 2))},
        {"class_ids": np.array([[2, 7], [0, 1]])},
        {"probabilities": np.zeros((3, 3, 3))},
    ],
)
def test_grpc_of_another_form_is_never_taken_for_an_answer(changed: dict[str, Any]) -> None:
    assert _asked(_says(changed))[0].endswith("answers of another form: no model of Graft's.")


def test_grpc_that_sends_too_much_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    small = tuple(
        (name, 4096 if name == "grpc.max_receive_message_length" else value)
        for name, value in grpc_api._CHANNEL
    )
    monkeypatch.setattr(grpc_api, "_CHANNEL", small)
    words, requests = _asked(_says({"probabilities": np.zeros((2, 4096))}))
    assert "larger than max" in words
    assert requests == 1


@contextmanager
def _late(address: str, seconds: float) -> Iterator[str]:
    """Leads a connection to a server that says nothing for so long, as a far or busy one does."""
    host, _, port = address.removeprefix("grpc://").partition(":")
    with socket.socket() as listening, socket.create_connection((host, int(port))) as server:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def pass_on(source: socket.socket, target: socket.socket) -> None:
            with suppress(OSError):
                while part := source.recv(1 << 16):
                    target.sendall(part)

        def lead() -> None:
            client, _ = listening.accept()
            with client:
                threading.Event().wait(seconds)
                threading.Thread(target=pass_on, args=(client, server), daemon=True).start()
                pass_on(server, client)

        threading.Thread(target=lead, daemon=True).start()
        yield f"grpc://127.0.0.1:{listening.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


def test_grpc_that_is_slow_to_connect_is_waited_for() -> None:
    with (
        _grpc_server(_says({})) as (address, _),
        _late(address, 1.5) as late,
        GraftClient(late, "m", retry=False) as client,
    ):
        assert client.predict(_IMAGES).labels == (("red", "dark"),) * 2


@pytest.mark.parametrize("is_deaf", [True, False])
def test_grpc_where_there_is_none(is_deaf: bool) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = f"grpc://127.0.0.1:{listening.getsockname()[1]}"

        def hang_up() -> None:
            while not is_over.is_set():
                connection, _ = listening.accept()
                connection.sendall(b"" if is_deaf else b"HTTP/1.1 400 Bad Request\r\n\r\n")
                (held.append if is_deaf else socket.socket.close)(connection)

        held: list[socket.socket] = []
        is_over = threading.Event()
        thread = threading.Thread(target=hang_up, daemon=True)
        thread.start()
        with GraftClient(address, "m", timeout=1.5) as client, pytest.raises(PredictionError):
            client.predict(_IMAGES)
        is_over.set()
        with socket.create_connection(listening.getsockname()):
            thread.join()
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    ("address", "error", "words"),
    [
        ("unix:/nowhere/to/be/found", PredictionError, "graft serve"),
        ("grpcs://127.0.0.1:1", UsageError, "none.pem holds no certificates"),
    ],
)
def test_grpc_that_cannot_be_reached(
    address: str, error: type[GraftError], words: str, tmp_path: Path
) -> None:
    with (
        GraftClient(address, "m", ca_file=tmp_path / "none.pem") as client,
        pytest.raises(error, match=words),
    ):
        client.predict(_IMAGES)


def test_the_port_of_the_other_api_is_told(server: ModelServer, port: int) -> None:
    for address, words in (
        (f"http://127.0.0.1:{server.grpc_port}", "of a gRPC port the address begins with grpc:"),
        (f"grpc://127.0.0.1:{port}", "the port of REST, its address begins with http:"),
    ):
        with GraftClient(address, "m") as client, pytest.raises(PredictionError, match=words):
            client.predict(_IMAGES)
