"""The gRPC server: its port, its socket, its end."""

import asyncio
import socket
import threading
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, Protocol, TypeVar

import grpc
import uvloop
from grpc_health.v1 import health_pb2_grpc

from serving.grpc_api.health import Health
from serving.grpc_api.intake import Intake
from serving.limits import Limits

Result = TypeVar("Result")
_STREAMS_PER_CONNECTION: Final = 256
_WITHOUT_LIMIT: Final = -1


class Service(Protocol):
    """One gRPC service."""

    def handler(self, intake: Intake) -> grpc.GenericRpcHandler:
        """The service, for a server that takes requests in through `intake`."""


class GrpcServer:
    """Answers on a port, a Unix socket or both, on an event loop in a thread of its own.

    Attributes:
        port: the port, None without one.
    """

    def __init__(
        self,
        services: Sequence[Service],
        limits: Limits,
        host: str = "127.0.0.1",
        port: int | None = None,
        socket_path: Path | None = None,
        credentials: grpc.ServerCredentials | None = None,
        health: Health | None = None,
    ) -> None:
        """Takes the port, and refuses connections until `start`.

        Args:
            services: what to serve.
            limits: bounds of requests.
            host: address of `port`.
            port: 0 takes a free one; None for no port.
            socket_path: of a Unix socket; None for none.
            credentials: of TLS on the port; None for plain text.
            health: the health service; None for none.

        Raises:
            OSError: the port is taken.
        """
        self._services = services
        self._limits = limits
        self._host = host
        self._socket_path = socket_path
        self._credentials = credentials
        self._health = health
        # Bound but not listening: the port is ours, and who connects is refused.
        self._reserved = None if port is None else _reserve(host, port)
        self.port = None if self._reserved is None else int(self._reserved.getsockname()[1])
        self._loop = uvloop.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="grpc", daemon=True)

    def start(self) -> None:
        """Starts to answer.

        Raises:
            RuntimeError: the socket cannot be made.
        """
        self._thread.start()
        self._do(self._start())
        self._free_reserved()

    def stop(self, drain_seconds: float) -> None:
        """Refuses new calls, waits for those that run, at most `drain_seconds`, and ends."""
        if self._thread.is_alive():
            self._do(self._stop(drain_seconds))
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._loop.close()
        self._free_reserved()

    def _do(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    async def _start(self) -> None:
        self._intake = Intake(self._limits)
        self._server = grpc.aio.server(
            options=[
                ("grpc.max_receive_message_length", self._limits.message_bytes),
                ("grpc.max_send_message_length", _WITHOUT_LIMIT),
                ("grpc.max_concurrent_streams", _STREAMS_PER_CONNECTION),
                # Otherwise a second server could share the port and take half of the requests.
                ("grpc.so_reuseport", 0),
            ]
        )
        handlers = [service.handler(self._intake) for service in self._services]
        self._server.add_generic_rpc_handlers(handlers)
        if self._health is not None:
            health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        if self.port is not None:
            address = f"{self._host}:{self.port}"
            if self._credentials is None:
                self._server.add_insecure_port(address)
            else:
                self._server.add_secure_port(address, self._credentials)
        if self._socket_path is not None:
            self._server.add_insecure_port(f"unix:{self._socket_path.absolute()}")
        await self._server.start()

    async def _stop(self, drain_seconds: float) -> None:
        await self._server.stop(drain_seconds)
        self._intake.close()

    def _free_reserved(self) -> None:
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None


def _reserve(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    reserved = socket.socket(family, socket.SOCK_STREAM)
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        reserved.bind(address)
    except OSError:
        reserved.close()
        raise
    return reserved
