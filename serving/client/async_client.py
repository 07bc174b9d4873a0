"""The client for asyncio."""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from typing_extensions import Self, Unpack

from models.errors import UsageError
from serving.client.address import parse_address
from serving.client.answers import Answer, Predictions, explained_answers, predictions_of
from serving.client.errors import PredictionError, RequestRefusedError
from serving.client.files import Told, ask_about, batches
from serving.client.options import DEFAULT_TIMEOUT, Options, check_images, sendable_key
from serving.client.retries import Retries

if TYPE_CHECKING:  # each brings what the other can do without
    from serving.client.grpc_api import GrpcTransport
    from serving.client.rest import RestTransport

_Read = TypeVar("_Read")

MOST_AT_ONCE: Final = 4
"""Requests that are under way at the same time, where there are many."""


class AsyncGraftClient:
    """Asks one model about images, in one event loop.

    Connections are kept from request to request. What may be answered later is asked again:
    a server that is busy, starts anew or just went (503, 429 with its Retry-After, UNAVAILABLE,
    RESOURCE_EXHAUSTED, a broken connection), as long as the timeout allows. An address that never
    answered anything is given up after a second.
    """

    def __init__(self, address: str, model_name: str = "graft", **options: Unpack[Options]) -> None:
        """Prepares a client; nothing is sent yet.

        Args:
            address: `http://HOST:PORT` or `https://…` for REST, `grpc://HOST:PORT` or `grpcs://…`
                for gRPC, which imports TensorFlow.
            model_name: name of the model in the API.
            **options: see `Options`.

        Raises:
            UsageError: not an address, a timeout that is none, a version and a label, a key that
                cannot be sent, or a file of certificates that cannot be used.
        """
        self._address = parse_address(address)
        self._model_name = model_name
        self._options: Options = {**options, "api_key": sendable_key(options.get("api_key"))}
        self._timeout = options.get("timeout", DEFAULT_TIMEOUT)
        if not self._timeout > 0.0:
            raise UsageError(f"A timeout is more than 0 seconds, not {self._timeout}.")
        if options.get("version") is not None and options.get("label") is not None:
            raise UsageError("Name a version or a label to ask, not both.")
        self._retries = Retries(options.get("retry", True))
        self._opening = asyncio.Lock()
        self._opened: RestTransport | GrpcTransport | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Closes all connections."""
        if self._opened is not None:
            await self._opened.close()

    async def predict(self, images: Sequence[bytes]) -> Predictions:
        """Asks about images in one request.

        Args:
            images: encoded, in a format that the model decodes, at least one.

        Raises:
            RequestRefusedError: the server cannot do with one of them, or with so many.
            PredictionError: no answer in time, or another error for an answer.
            UsageError: they are no list of bytes.
        """
        check_images(images)
        await self._open()
        return await self._predict(images, time.monotonic() + self._timeout)

    async def predict_each(
        self, images: Sequence[bytes], *, explain: bool = False
    ) -> list[Answer | RequestRefusedError]:
        """Asks about images, of which one that is refused takes no other with it.

        Such a one is found by halving. All of it has the time of one request.

        Args:
            images: encoded; may be none.
            explain: ask where the model saw the likeliest class, too, which takes it about three
                times as long. Answers are an `ExplainedAnswer` then.

        Returns:
            For each image the answer, or why there is none.

        Raises:
            PredictionError: no answer in time, or another error for an answer.
            UsageError: they are no list of bytes.
        """
        check_images(images)
        if not images:
            return []
        await self._open()
        return await self._each(images, time.monotonic() + self._timeout, explain)

    async def predict_files(self, paths: Iterable[Path | str]) -> AsyncIterator[Told]:
        """Asks about files, some batches at a time, so that there may be any number of them.

        Args:
            paths: of images; read when their turn comes.

        Yields:
            In the order given, each with its answer, or why there is none.

        Raises:
            PredictionError: no answer in time, or another error for an answer.
            UsageError: a path without a list around it.
        """
        waiting: deque[asyncio.Task[list[Told]]] = deque()
        pending = batches(paths)
        try:
            while True:
                batch = await asyncio.to_thread(next, pending, None)
                if batch is not None:
                    waiting.append(asyncio.create_task(ask_about(batch, self.predict_each)))
                if batch is None and not waiting:
                    return
                if batch is None or len(waiting) == MOST_AT_ONCE:
                    for told in await waiting.popleft():
                        yield told
        finally:
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)

    async def _each(
        self, images: Sequence[bytes], deadline: float, explain: bool
    ) -> list[Answer | RequestRefusedError]:
        try:
            if explain:
                return [*await self._asked(images, deadline, explained_answers, explain=True)]
            return [*(await self._predict(images, deadline)).each()]
        except RequestRefusedError as error:
            if len(images) == 1:
                return [error]
        middle = len(images) // 2
        return [
            *await self._each(images[:middle], deadline, explain),
            *await self._each(images[middle:], deadline, explain),
        ]

    async def _predict(self, images: Sequence[bytes], deadline: float) -> Predictions:
        return await self._asked(images, deadline, predictions_of, explain=False)

    async def _asked(
        self,
        images: Sequence[bytes],
        deadline: float,
        read: Callable[[Mapping[str, Any], str, int], _Read],
        *,
        explain: bool,
    ) -> _Read:
        request_id = uuid.uuid4().hex
        transport = await self._open()

        async def attempt(seconds: float) -> _Read:
            outputs = await transport.ask(images, request_id, seconds, explain=explain)
            return read(outputs, f"The model at {self._address.text}", len(images))

        # Of what is sent, received and waited for, all must end by then.
        asked = self._retries.ask(attempt, deadline)
        try:
            return await asyncio.wait_for(asked, max(deadline - time.monotonic(), 0.0))
        except (asyncio.TimeoutError, TimeoutError) as error:
            words = f"The server at {self._address.text} did not answer within {self._timeout:g} s."
            late = PredictionError(words)
            late.request_id = request_id
            raise late from error
        except PredictionError as error:
            error.request_id = request_id
            raise

    async def _open(self) -> "RestTransport | GrpcTransport":
        """What a program imports for it takes none of the time for an answer."""
        async with self._opening:
            if self._opened is None:
                self._opened = await asyncio.to_thread(self._transport)
            return self._opened

    def _transport(self) -> "RestTransport | GrpcTransport":
        if self._address.is_grpc:
            from serving.client.grpc_api import GrpcTransport

            return GrpcTransport(self._address, self._model_name, self._options)
        from serving.client.rest import RestTransport

        return RestTransport(self._address, self._model_name, self._options)
