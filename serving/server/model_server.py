"""The embedded server: TensorFlow Serving's API, flags and model directory, in Python.

For a laptop, for tests, and for the check before a push; production runs the official TensorFlow
Serving image on the same directory.
"""

import gc
import json
import logging
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Final

from models.errors import GraftError
from models.listening import host_and_port
from models.storage.atomic_write import write_atomically
from serving.errors import ServingError, in_one_line
from serving.grpc_api.credentials import read_credentials
from serving.grpc_api.grpc_server import GrpcServer
from serving.inference.deadline import Deadline
from serving.inference.model_loader import ModelLoader
from serving.inference.runner import Runner
from serving.metrics import Metrics
from serving.observer.observer import Observer
from serving.rest_api.server import RestServer
from serving.servables.memory import keep_what_is_imported
from serving.servables.model_config import ModelConfig
from serving.servables.registry import Registry
from serving.servables.version_manager import LoadOptions
from serving.server.config_file import ConfigFile
from serving.server.grpc_parts import grpc_server
from serving.server.ports import HeldPort
from serving.server.settings import ServerSettings

_log = logging.getLogger(__name__)
_DRAIN_SECONDS: Final = 30.0
_END_SECONDS: Final = 5.0


class ModelServer:
    """Models behind gRPC and REST.

    Attributes:
        registry: the models.
        metrics: counts of what it does.
        grpc_port: port that gRPC is bound to, None if left out.
        rest_port: likewise for REST.
    """

    def __init__(self, settings: ServerSettings) -> None:
        """Holds the ports, so that a taken one is known before anything is loaded.

        Raises:
            UsageError: a port is taken, or the configuration of TLS is wrong.
        """
        self._settings = settings
        if settings.grpc.ssl_config_file is not None:
            # Wrong keys are told at once, not after the models are loaded.
            read_credentials(settings.grpc.ssl_config_file)
        self.metrics = Metrics()
        self._runner = Runner(settings.limits, settings.batching)
        self._observer = Observer(self.metrics, settings.request_log)
        loader = ModelLoader(self._runner, self.metrics, settings.warm_ups, settings.parallelism)
        self.registry = Registry(
            self._observer.watched(loader),
            LoadOptions(settings.poll_seconds, settings.load_retries, settings.load_retry_seconds),
            settings.allow_labels_ahead,
        )
        host = settings.host
        self._held_grpc = _held("gRPC", host, settings.port)
        self._held_rest = _held("REST", host, settings.rest_api_port)
        self.grpc_port = self._held_grpc.number if self._held_grpc else None
        self.rest_port = self._held_rest.number if self._held_rest else None
        self._grpc: GrpcServer | None = None
        self._rest: RestServer | None = None
        self._config_file: ConfigFile | None = None

    def load(self, cancelled: threading.Event | None = None) -> None:
        """Waits until every model is available, however long its directory stays empty.

        Raises:
            GraftError: the configuration is wrong, or a model does not load.
        """
        given_up = cancelled.is_set if cancelled is not None else lambda: False
        settings = self._settings
        try:
            if settings.model_config_file is not None:
                self._config_file = ConfigFile(settings.model_config_file, self.registry)
                self._config_file.apply(given_up)
            elif settings.model_base_path is not None:
                model = ModelConfig(settings.model_name, settings.model_base_path)
                self.registry.reload([model], given_up)
        except ServingError as error:
            if not given_up():
                words = in_one_line(error)
                raise GraftError(f"Failed to start server. Error: {words}") from error

    def serve(self) -> None:
        """Starts to answer.

        Raises:
            UsageError: somebody else has taken a port meanwhile.
        """
        settings, observer = self._settings, self._observer
        if self.grpc_port is not None or settings.grpc.socket_path is not None:
            server = grpc_server(settings, self.grpc_port, self.registry, self._runner, observer)
            with self._held_grpc or nullcontext():
                server.start()
            self._grpc = server
        if self._held_rest is not None:
            with self._held_rest as held:
                address = (settings.host, held.number)
                self._rest = RestServer(
                    self.registry, self._runner, settings.limits, address, settings.rest, observer
                )
                self._rest.start()
        if self._config_file is not None and settings.config_poll_seconds > 0:
            self._config_file.watch(settings.config_poll_seconds)

    def start(self) -> None:
        """Loads the models and answers.

        Raises:
            GraftError: the server cannot start; it has stopped.
        """
        try:
            self.load()
            self.serve()
        except GraftError:
            self.stop()
            raise

    def stop(self, drain_seconds: float = _DRAIN_SECONDS) -> None:
        """Refuses new connections, lets the running requests finish, and frees the models."""
        self.registry.drain()
        ends: list[Callable[[float], None]] = []
        if self._rest is not None:
            ends.append(self._rest.drain)
        if self._grpc is not None:
            ends.append(self._grpc.stop)
        # At the same time: none may go on to accept while the other one still answers.
        with ThreadPoolExecutor(max_workers=2) as pool:
            list(pool.map(lambda end: end(drain_seconds), ends))
        if self._config_file is not None:
            self._config_file.stop()
        # Who still waited got an answer, or was given up: a graph that never ends holds nothing up.
        self._runner.close(Deadline.after(_END_SECONDS))
        self.registry.close()
        self._observer.close()

    def __enter__(self) -> "ModelServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _held(api: str, host: str, port: int | None) -> HeldPort | None:
    return None if port is None else HeldPort(api, host, port)


def announce(server: ModelServer, settings: ServerSettings) -> None:
    """Logs where a server answers."""
    if server.rest_port is not None:
        where = host_and_port(settings.host, server.rest_port)
        _log.info("Exporting HTTP/REST API at: %s", where)
    if server.grpc_port is not None:
        where = host_and_port(settings.host, server.grpc_port)
        _log.info("Running gRPC ModelServer at %s", where)


def run(
    settings: ServerSettings,
    ports_file: Path | None = None,
    stop_at_eof: bool = False,
    ready: Callable[[ModelServer, ServerSettings], None] = announce,
) -> None:
    """Serves until SIGTERM or SIGINT, then drains.

    Args:
        settings: what to serve, and where.
        ports_file: where to write the bound ports as JSON once requests are answered.
        stop_at_eof: also stop when standard input ends.
        ready: called once requests are answered.

    Raises:
        GraftError: a port is taken, or the version to start with does not load.
    """
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    if stop_at_eof:
        threading.Thread(target=_await_eof, args=(stopping,), name="stdin", daemon=True).start()
    # What the imports leave is no garbage; to look through it takes tenths of a second at times.
    gc.freeze()
    server = ModelServer(settings)
    keep_what_is_imported()
    server.load(cancelled=stopping)
    if not stopping.is_set():
        server.serve()
        ready(server, settings)
        if ports_file is not None:
            _write_ports(server, ports_file)
        stopping.wait()
        _log.info("Stopping: finishing the requests that run.")
        server.stop()


def _await_eof(stopping: threading.Event) -> None:
    # The raw descriptor: a thread that holds the lock of sys.stdin would break the exit.
    while os.read(0, 1024):
        pass
    stopping.set()


def _write_ports(server: ModelServer, path: Path) -> None:
    ports = {"grpc": server.grpc_port, "rest": server.rest_port}
    write_atomically(path, json.dumps(ports).encode())
