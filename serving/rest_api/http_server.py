"""The HTTP server under the REST API: uvicorn in a thread, on a port bound beforehand."""

import contextlib
import functools
import resource
import socket
import threading
from collections.abc import Callable
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from serving.limits import Limits
from serving.rest_api.connection import Connection

_KEEP_ALIVE_SECONDS: Final = 75
_BACKLOG: Final = 1024
_OTHER_FILES: Final = 512
_START_SECONDS: Final = 30.0


class HttpServer:
    """Serves an ASGI application over HTTP/1.1.

    Attributes:
        port: the port that the server is bound to.
    """

    def __init__(
        self,
        app: ASGIApp,
        address: tuple[str, int],
        limits: Limits,
        refused: Callable[[int], None],
    ) -> None:
        """Binds to a host and port; 0 takes a free one. Nothing is accepted before `start`.

        Args:
            app: answers.
            address: host and port.
            limits: what clients may take.
            refused: is told the HTTP status of what never came to `app`.

        Raises:
            OSError: the port is taken.
        """
        self._socket = bound_socket(*address)
        self.port = int(self._socket.getsockname()[1])
        self._config = uvicorn.Config(
            app,
            loop="uvloop",
            http=functools.partial(Connection, limits, {}, refused),  # type: ignore[arg-type]
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            backlog=_BACKLOG,
        )
        self._connections = limits.connections
        self._server = _Server(self._config)
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._serve, name="rest", daemon=True)

    def start(self) -> None:
        """Accepts connections, in a thread of its own.

        Raises:
            OSError: another server took the port since it was bound.
        """
        _allow_connections(self._connections)
        self._thread.start()
        self._server.is_settled.wait(_START_SECONDS)
        if self._error is not None:
            raise self._error

    def drain(self, seconds: float) -> None:
        """Accepts nothing more, and waits at most `seconds` for the requests that run."""
        self._config.timeout_graceful_shutdown = seconds  # type: ignore[assignment]
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        except BaseException as error:  # noqa: BLE001 (whoever starts the server gets it)
            self._error = error
        finally:
            self._server.is_settled.set()


class _Server(uvicorn.Server):
    """Says when it listens.

    Attributes:
        is_settled: set once connections are accepted, or never will be.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_settled = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listens."""
        await super().startup(sockets)
        self.is_settled.set()


def _allow_connections(connections: int) -> None:
    """Lets the process have as many files open, and some more: 1,024 is a usual limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OTHER_FILES
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def bound_socket(host: str, port: int) -> socket.socket:
    """A socket that holds a port and does not listen yet; 0 takes a free one.

    Raises:
        OSError: the port is taken, or the host is no address of this machine.
    """
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with contextlib.ExitStack() as stack:
        bound = stack.enter_context(socket.socket(family, kind, protocol))
        # A port that a server has just left is free.
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        stack.pop_all()
    return bound
