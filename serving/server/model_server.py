"""The embedded server: TensorFlow Serving's API, flags and model directory, in Python.

For a laptop, for tests, and for the check before a push; production runs the official TensorFlow
Serving image on the same directory.
"""

import json
import logging
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

import grpc

from models.errors import GraftError, UsageError
from serving.grpc_api.services import grpc_server
from serving.rest_api.http_server import RestServer
from serving.rest_api.rest import RestApi
from serving.servables.model_versions import State, VersionManager, VersionStatus
from serving.servables.registry import Registry
from serving.server.settings import ServerSettings

_log = logging.getLogger(__name__)
_DRAIN_SECONDS: Final = 30.0


class ModelServer:
    """One model behind gRPC and REST.

    Attributes:
        manager: the versions of the model.
        grpc_port: port that gRPC is bound to, None if left out.
        rest_port: likewise for REST.
    """

    def __init__(self, settings: ServerSettings) -> None:
        """Binds the ports, so that a taken one is known before anything is loaded.

        Raises:
            UsageError: a port is taken.
        """
        host = settings.host
        self.manager = VersionManager(
            settings.model_name, settings.model_base_path, settings.poll_seconds
        )
        registry = Registry([self.manager])
        self.grpc_port: int | None = None
        self.rest_port: int | None = None
        self._grpc: grpc.Server | None = None
        self._rest: RestServer | None = None
        if settings.port is not None:
            try:
                self._grpc, self.grpc_port = grpc_server(registry, host, settings.port)
            except RuntimeError as error:
                raise _taken("gRPC", host, settings.port) from error
        if settings.rest_api_port is not None:
            try:
                self._rest = RestServer(RestApi(registry), host, settings.rest_api_port)
            except OSError as error:
                raise _taken("REST", host, settings.rest_api_port) from error
            self.rest_port = self._rest.port

    def load(self, cancelled: threading.Event | None = None) -> None:
        """Waits until a version is available, however long the directory stays empty.

        Raises:
            GraftError: the version to start with does not load.
        """
        self.manager.start()
        while not self.manager.wait_for(_settled, timeout=0.5):
            if cancelled is not None and cancelled.is_set():
                return
        failed = [status for status in self.manager.statuses() if _failed(status)]
        if failed and not any(map(_is_available, self.manager.statuses())):
            raise GraftError(
                f"Version {failed[0].version} of {self.manager.name} in {self.manager.base_path}"
                f" does not load: {failed[0].error}"
            )

    def serve(self) -> None:
        """Starts to answer."""
        if self._grpc is not None:
            self._grpc.start()
        if self._rest is not None:
            self._rest.serve_in_background()

    def start(self) -> None:
        """Loads the model and answers.

        Raises:
            GraftError: the version to start with does not load; the server has stopped.
        """
        try:
            self.load()
        except GraftError:
            self.stop()
            raise
        self.serve()

    def stop(self, drain_seconds: float = _DRAIN_SECONDS) -> None:
        """Takes no new request, lets the running ones finish, and frees the model."""
        stopped = self._grpc.stop(drain_seconds) if self._grpc is not None else None
        if self._rest is not None:
            self._rest.drain(drain_seconds)
        if stopped is not None:
            stopped.wait()
        self.manager.stop()

    def __enter__(self) -> "ModelServer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def _is_available(status: VersionStatus) -> bool:
    return status.state is State.AVAILABLE


def _failed(status: VersionStatus) -> bool:
    return status.state is State.END and status.error is not None


def _settled(statuses: list[VersionStatus]) -> bool:
    return any(_is_available(status) or _failed(status) for status in statuses)


def _taken(api: str, host: str, port: int) -> UsageError:
    return UsageError(
        f"The {api} port {port} of {host} cannot be opened. Expected an address of this machine"
        " and a port that no other server holds; 0 takes a free one."
    )


def announce(server: ModelServer, settings: ServerSettings) -> None:
    """Logs where a server answers."""
    if server.rest_port is not None:
        name = settings.model_name
        _log.info("REST: http://%s:%d/v1/models/%s", settings.host, server.rest_port, name)
    if server.grpc_port is not None:
        _log.info("gRPC: %s:%d", settings.host, server.grpc_port)


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
    server = ModelServer(settings)
    _log.info("Loading %s from %s.", settings.model_name, settings.model_base_path)
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
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(json.dumps(ports), encoding="utf-8")
    unfinished.replace(path)
