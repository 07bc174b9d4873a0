"""Ports that are taken early and opened late: a probe of the port says ready when the server is."""

from types import TracebackType

from models.errors import UsageError
from serving.rest_api.http_server import bound_socket


class HeldPort:
    """A port that nobody can connect to yet.

    It is bound, so that one that is taken is known before a model is loaded, but does not listen: a
    connection is refused. Who opens the port binds it a second time, which `SO_REUSEADDR` allows as
    long as none of the two listens.

    Attributes:
        number: of the port.
    """

    def __init__(self, api: str, host: str, port: int) -> None:
        """Binds `port` of `host` for `api`; 0 takes a free one.

        Raises:
            UsageError: the port is taken, or `host` is no address of this machine.
        """
        self._error = UsageError(
            f"The {api} port {port} of {host} cannot be opened. Expected an address of this machine"
            " and a port that no other server holds; 0 takes a free one."
        )
        try:
            self._socket = bound_socket(host, port)
        except OSError as error:
            raise self._error from error
        self.number: int = self._socket.getsockname()[1]

    def __enter__(self) -> "HeldPort":
        """For the block that opens the port, after which it is no longer held."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._socket.close()
        if isinstance(error, (OSError, RuntimeError)):
            raise self._error from error
