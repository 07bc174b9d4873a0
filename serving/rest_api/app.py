"""The HTTP application: the API of version 1, health, and the page of metrics."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from serving.errors import ServingError
from serving.observer.request_ids import HEADER as REQUEST_ID
from serving.rest_api.options import LIVE, READY
from serving.tensors.json_outputs import to_json

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Pages:
    """What is answered outside of the API.

    Attributes:
        is_ready: whether every model is available and the server is not about to stop.
        metrics: makes the page of metrics, in Prometheus' text format.
        metrics_path: where that page is; None for no page.
    """

    is_ready: Callable[[], bool]
    metrics: Callable[[], bytes] | None = None
    metrics_path: str | None = None


def http_app(api: ASGIApp, pages: Pages, cors: bool) -> ASGIApp:
    """Puts the application together.

    Args:
        api: answers everything below `/v1/`, and what is nowhere.
        pages: what is beside it.
        cors: whether pages of other sites may use it.
    """

    async def livez(_: Request) -> Response:
        return json_response(200, {"status": "alive"})

    async def readyz(_: Request) -> Response:
        if pages.is_ready():
            return json_response(200, {"status": "ready"})
        return json_response(503, {"error": "Not every model is available, or the server stops."})

    def metrics(_: Request) -> Response:
        assert pages.metrics is not None
        return Response(pages.metrics(), media_type="text/plain")

    routes = [Route(LIVE, livez), Route(READY, readyz)]
    if pages.metrics is not None and pages.metrics_path is not None:
        routes.append(Route(pages.metrics_path, metrics))
    routes.append(Route("/{path:path}", api))
    anyone = Middleware(
        CORSMiddleware,
        allow_origins=["*"],
        allow_methods=["GET", "POST"],
        allow_headers=["*"],
        expose_headers=[REQUEST_ID],
    )
    return Starlette(
        routes=routes,
        middleware=[anyone] if cors else [],
        exception_handlers={
            HTTPException: _http_error,
            ServingError: _serving_error,
            Exception: _defect,
        },
    )


def json_response(
    status: int, content: object, headers: Mapping[str, str] | None = None
) -> Response:
    """An answer in JSON; `content` may be bytes that are JSON already."""
    body = content if isinstance(content, bytes) else to_json(content)
    return Response(body, status, headers, media_type="application/json")


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return json_response(error.status_code, {"error": error.detail}, headers)


async def _serving_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ServingError)
    return json_response(error.http_status, {"error": error.message})


async def _defect(request: Request, error: Exception) -> Response:
    _log.exception("%s %s failed", request.method, request.url.path, exc_info=error)
    return json_response(500, {"error": f"{type(error).__name__}: {error}"})
