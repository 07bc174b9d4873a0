"""`grpc.health.v1.Health`, whose overall status says whether requests are answered."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from serving.servables.model_messages import Message

_SERVING: Final = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING: Final = health_pb2.HealthCheckResponse.NOT_SERVING
_UNKNOWN: Final = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
_ALIVE: Final = ("ModelService", "PredictionService")
_READY: Final = ("", "tensorflow.serving.ModelService", "tensorflow.serving.PredictionService")
_LOOK_SECONDS: Final = 0.5


class Health(health_pb2_grpc.HealthServicer):
    """Says what TensorFlow Serving says, and more.

    `ModelService` and `PredictionService` are served as long as the server lives, as over there.
    The empty name, which probes ask for, and the full names of the services are served while every
    model can be asked.
    """

    def __init__(self, is_ready: Callable[[], bool]) -> None:
        """`is_ready` is asked at every check."""
        self._is_ready = is_ready
        self._ended = asyncio.Event()

    def end(self) -> None:
        """Ends what watches: it would hold up the end of the server. On the server's event loop."""
        self._ended.set()

    async def Check(  # noqa: N802
        self, request: Message, context: grpc.aio.ServicerContext
    ) -> Message:
        """Says how a service is."""
        status = self._status(request.service)
        if status == _UNKNOWN:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"No service {request.service!r}.")
        return health_pb2.HealthCheckResponse(status=status)

    async def Watch(  # noqa: N802
        self, request: Message, _: grpc.aio.ServicerContext
    ) -> AsyncIterator[Message]:
        """Says how a service is, now and whenever that changes, until the server ends."""
        said = None
        while not self._ended.is_set():
            status = self._status(request.service)
            if status != said:
                yield health_pb2.HealthCheckResponse(status=status)
            said = status
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ended.wait(), _LOOK_SECONDS)
        if said != _NOT_SERVING:
            yield health_pb2.HealthCheckResponse(status=_NOT_SERVING)

    def _status(self, service: str) -> int:
        if service in _ALIVE:
            return int(_SERVING)
        if service in _READY:
            return int(_SERVING if self._is_ready() else _NOT_SERVING)
        return int(_UNKNOWN)
