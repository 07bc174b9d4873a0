"""The client for plain code: the other one, on an event loop in a thread of its own."""

import asyncio
import threading
from collections import deque
from collections.abc import Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, TypeVar

from typing_extensions import Self, Unpack

from serving.client.address import as_grpc
from serving.client.answers import Answer, Predictions
from serving.client.async_client import MOST_AT_ONCE, AsyncGraftClient
from serving.client.errors import RequestRefusedError
from serving.client.files import Told, ask_about, batches
from serving.client.options import DEFAULT_TIMEOUT, Options

_Result = TypeVar("_Result")


class GraftClient:
    """Asks one model about images; any thread may use it.

    Works as `AsyncGraftClient` does, with the same arguments.
    """

    def __init__(self, address: str, model_name: str = "graft", **options: Unpack[Options]) -> None:
        """See `AsyncGraftClient`; nothing is sent yet."""
        self._client = AsyncGraftClient(address, model_name, **options)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="graft-client", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes all connections; what is under way is cancelled."""
        if self._loop.is_closed():
            return
        self._start(self._end()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def predict(self, images: Sequence[bytes]) -> Predictions:
        """See `AsyncGraftClient.predict`."""
        return self._run(self._client.predict(images))

    def predict_each(
        self, images: Sequence[bytes], *, explain: bool = False
    ) -> list[Answer | RequestRefusedError]:
        """See `AsyncGraftClient.predict_each`."""
        return self._run(self._client.predict_each(images, explain=explain))

    def submit(
        self, images: Sequence[bytes], *, explain: bool = False
    ) -> "Future[list[Answer | RequestRefusedError]]":
        """`predict_each` in the background, for a caller that has other things to do."""
        return self._start(self._client.predict_each(images, explain=explain))

    def predict_files(self, paths: Iterable[Path | str]) -> Iterator[Told]:
        """See `AsyncGraftClient.predict_files`."""
        waiting: deque[Future[list[Told]]] = deque()
        try:
            for batch in batches(paths):
                waiting.append(self._start(ask_about(batch, self._client.predict_each)))
                if len(waiting) == MOST_AT_ONCE:
                    yield from waiting.popleft().result()
            while waiting:
                yield from waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _start(self, coroutine: Coroutine[Any, Any, _Result]) -> "Future[_Result]":
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def _run(self, coroutine: Coroutine[Any, Any, _Result]) -> _Result:
        future = self._start(coroutine)
        try:
            return future.result()
        except BaseException:  # Ctrl-C: nobody waits for the answer any more
            future.cancel()
            raise

    async def _end(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._client.close()


def predict_rest(
    url: str, model_name: str, images: Sequence[bytes], timeout: float = DEFAULT_TIMEOUT
) -> Predictions:
    """Asks over REST, once.

    Args:
        url: address of the server, such as `http://127.0.0.1:8501` or `127.0.0.1:8501`.
        model_name: name of the model in the API.
        images: encoded images, in a format that the model decodes.
        timeout: seconds until the answer must be there.

    Raises:
        RequestRefusedError: the server cannot do with the images.
        PredictionError: no answer in time, or another error for an answer.
        UsageError: `url` is no HTTP address.
    """
    with GraftClient(url, model_name, timeout=timeout, retry=False) as client:
        return client.predict(images)


def predict_grpc(
    target: str, model_name: str, images: Sequence[bytes], timeout: float = DEFAULT_TIMEOUT
) -> Predictions:
    """Asks over gRPC, once.

    Args:
        target: address of the server, such as `127.0.0.1:8500`.
        model_name: name of the model in the API.
        images: encoded images, in a format that the model decodes.
        timeout: seconds until the answer must be there.

    Raises:
        RequestRefusedError: the server cannot do with the images.
        PredictionError: no answer in time, or another error for an answer.
    """
    with GraftClient(as_grpc(target), model_name, timeout=timeout, retry=False) as client:
        return client.predict(images)
