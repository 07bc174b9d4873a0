"""The gRPC server: its port, its socket, its end."""

import asyncio
import threading
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import grpc
import uvloop
from grpc_health.v1 import health_pb2_grpc

from models.errors import UsageError
from serving.grpc_api.health import Health
from serving.grpc_api.intake import Intake
from serving.limits import Limits

_STREAMS_PER_CONNECTION: Final = 256
_WITHOUT_LIMIT: Final = -1


class Service(Protocol):
    """One gRPC service."""

    def handler(self, intake: Intake) -> grpc.GenericRpcHandler:
        """The service, for a server that takes requests in through `intake`."""


class GrpcServer:
    """Answers on a port, a Unix socket or both, on an event loop in a thread of its own."""

    def __init__(
        self,
        services: Sequence[Service],
        limits: Limits,
        address: str | None = None,
        socket_path: Path | None = None,
        credentials: grpc.ServerCredentials | None = None,
        health: Health | None = None,
        channel_arguments: Sequence[tuple[str, int | str]] = (),
    ) -> None:
        """Prepares a server.

        Args:
            services: what to serve.
            limits: bounds of requests.
            address: host and port; None for no port.
            socket_path: of a Unix socket; None for none.
            credentials: of TLS on the port; None for plain text.
            health: the health service; None for none.
            channel_arguments: more settings of gRPC's own, by name.
        """
        self._services = services
        self._limits = limits
        self._address = address
        self._socket_path = socket_path
        self._credentials = credentials
        self._health = health
        self._channel_arguments = channel_arguments
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="grpc", daemon=True)

    def start(self) -> None:
        """Opens the port and the socket, and answers.

        Raises:
            RuntimeError: the port cannot be opened; the server has stopped.
            UsageError: the socket cannot.
        """
        self._thread.start()
        try:
            self._do(self._start())
        except (RuntimeError, UsageError):
            self.stop(0)
            raise

    def stop(self, drain_seconds: float) -> None:
        """Refuses what is new, waits at most `drain_seconds` for the calls that run, and ends."""
        if self._thread.is_alive():
            self._do(self._stop(drain_seconds))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()

    def _do(self, coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _start(self) -> None:
        self._intake = Intake(self._limits)
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", self._limits.message_bytes),
                ("grpc.max_send_message_length", _WITHOUT_LIMIT),
                ("grpc.max_concurrent_streams", _STREAMS_PER_CONNECTION),
                # Otherwise calls that have ended but are not cleared away yet would count, and a
                # client that keeps to the limit would have calls refused.
                ("grpc.http.overload_protection", 0),
                # Otherwise a second server could share the port and take half of the requests.
                ("grpc.so_reuseport", 0),
                # Otherwise megabytes of each message that waits to be read would be taken in.
                ("grpc.http2.bdp_probe", 0),
                *self._channel_arguments,
            ]
        )
        handlers = [service.handler(self._intake) for service in self._services]
        self._server.add_generic_rpc_handlers(handlers)
        if self._health is not None:
            health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if self._address is not None and self._credentials is not None:
            self._server.add_secure_port(self._address, self._credentials)
        elif self._address is not None:
            self._server.add_insecure_port(self._address)
        if self._socket_path is not None:
            self._open_socket(self._socket_path)
        await self._server.start()

    def _open_socket(self, path: Path) -> None:
        try:
            self._server.add_insecure_port(f"unix:{path.absolute()}")
        except RuntimeError as error:
            raise UsageError(
                f"The Unix socket {path} cannot be opened. Expected a path of at most 107 bytes, in"
                " a folder that is there, with nothing at it but the socket of an earlier server."
            ) from error

    async def _stop(self, drain_seconds: float) -> None:
        if self._health is not None:
            self._health.end()
        await self._server.stop(drain_seconds)
        self._intake.close()
        # With its last server gRPC ends its own thread, which would crash the interpreter's end.
        del self._server
