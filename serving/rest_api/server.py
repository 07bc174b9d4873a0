"""The REST API as a server: the application, and the HTTP under it."""

from serving.errors import code_of_http
from serving.inference.runner import Runner
from serving.limits import Limits
from serving.metrics import Metrics
from serving.observer.observer import Observer
from serving.rest_api.app import Pages, http_app
from serving.rest_api.http_server import HttpServer
from serving.rest_api.options import RestOptions
from serving.rest_api.rest import RestApi
from serving.servables.registry import Registry


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
        observer: Observer | None = None,
    ) -> None:
        """Binds to a port. Nothing is accepted before `start`.

        Args:
            registry: the models.
            runner: runs them.
            limits: what a request may take.
            address: host and port to bind to; port 0 takes a free one.
            options: how to answer.
            observer: notes the requests; its metrics make the page.

        Raises:
            OSError: the port is taken.
        """
        options = options or RestOptions()
        observer = observer or Observer(Metrics())
        self._api = RestApi(registry, runner, limits, options.timeout_seconds, observer)
        pages = Pages(registry.is_ready, observer.metrics.page, options.metrics_path)
        app = http_app(self._api, pages, options.cors)
        self._http = HttpServer(
            app, address, limits, lambda status: observer.refused("REST", code_of_http(status))
        )
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
