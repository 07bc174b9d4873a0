"""The REST API as a server: the application, and the HTTP under it."""

from collections.abc import Callable
from dataclasses import dataclass

from serving.inference.runner import Runner
from serving.limits import Limits
from serving.rest_api.app import Pages, http_app
from serving.rest_api.http_server import HttpServer
from serving.rest_api.rest import RestApi
from serving.servables.registry import Registry


@dataclass(frozen=True)
class RestOptions:
    """How the REST API answers.

    Attributes:
        timeout_seconds: time from a whole request to its answer.
        cors: whether pages of other sites may use it.
        metrics_path: where the page of metrics is; None for no page.
    """

    timeout_seconds: float = 30.0
    cors: bool = False
    metrics_path: str | None = None


class RestServer:
    """Serves the models of a registry over HTTP.

    Attributes:
        port: the port that it is bound to.
    """

    def __init__(
        self,
        registry: Registry,
        runner: Runner,
        limits: Limits,
        address: tuple[str, int],
        options: RestOptions | None = None,
        metrics_page: Callable[[], bytes] | None = None,
    ) -> None:
        """Binds to a port. Nothing is accepted before `start`.

        Args:
            registry: the models.
            runner: runs them.
            limits: what a request may take.
            address: host and port to bind to; port 0 takes a free one.
            options: how to answer.
            metrics_page: makes the page of metrics, in Prometheus' text format.

        Raises:
            OSError: the port is taken.
        """
        options = options or RestOptions()
        self._api = RestApi(registry, runner, limits, options.timeout_seconds)
        pages = Pages(registry.is_ready, metrics_page, options.metrics_path)
        self._http = HttpServer(http_app(self._api, pages, options.cors), address, limits)
        self.port = self._http.port

    def start(self) -> None:
        """Starts to answer.

        Raises:
            OSError: another server took the port since it was bound.
        """
        self._http.start()

    def drain(self, seconds: float) -> None:
        """Accepts nothing more, and waits at most `seconds` for the requests that run."""
        self._http.drain(seconds)
        self._api.close()
