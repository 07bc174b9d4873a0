"""Runs requests, for REST and gRPC alike; one that nobody waits for any more is never run."""

import threading
from concurrent.futures import Future
from dataclasses import replace

import grpc

from serving.errors import ServingError
from serving.inference.batch_queue import BatchQueue
from serving.inference.batching_parameters import BatchingParameters
from serving.inference.deadline import NEVER, Deadline
from serving.inference.effort import is_short
from serving.inference.signature_call import SignatureCall
from serving.inference.tasks import Task
from serving.limits import Limits
from serving.tensors.tensor_protos import Tensors, cost


class Runner:
    """Runs graphs in threads of its own.

    Short requests have threads for themselves, so that one who sends a thousand images, or a huge
    one, holds nobody up but those who do the same.
    """

    def __init__(
        self, limits: Limits | None = None, batching: BatchingParameters | None = None
    ) -> None:
        """Starts its threads.

        Args:
            limits: bounds the requests that wait or run.
            batching: how to join requests; None to run each by itself. Long ones have half as many
                threads as short ones.
        """
        self._limits = limits or Limits()
        parameters = batching or BatchingParameters()
        joins = batching is not None
        half = replace(parameters, num_batch_threads=max(1, parameters.num_batch_threads // 2))
        self._short, self._long = BatchQueue(parameters, joins), BatchQueue(half, joins)
        self._lock = threading.Lock()
        self._requests = 0
        self._bytes = 0

    def submit_call(
        self, call: SignatureCall, deadline: Deadline = NEVER, aside: bool = False
    ) -> "Future[Tensors]":
        """Runs a call when its turn comes.

        Args:
            call: what to run; the caller holds the version until the future is done.
            deadline: after it the request is not begun.
            aside: whether it runs among the long ones, however short it looks.

        Returns:
            Alias to value; fails with `ServingError`. Cancelling it takes the request out of the
            queue; what runs already is not stopped, but its answer goes nowhere.

        Raises:
            ServingError: too many requests wait, or it has too many rows.
        """
        self._require_few_strings(call)
        size = sum(map(cost, call.feeds.values()))
        self._enter(size)
        future: Future[Tensors] = Future()
        future.add_done_callback(lambda _: self._leave(size))
        try:
            queue = self._short if is_short(call) and not aside else self._long
            queue.add(Task(call, future, deadline))
        except ServingError:
            future.cancel()
            raise
        return future

    @property
    def requests(self) -> int:
        """Requests that wait or run."""
        return self._requests

    def close(self, until: Deadline = NEVER) -> None:
        """Finishes the requests that wait, and ends the threads, as far as they end by then."""
        self._short.close(until)
        self._long.close(until)

    def _require_few_strings(self, call: SignatureCall) -> None:
        for value in call.feeds.values():
            if value.dtype == object and value.size > self._limits.instances:
                raise ServingError(
                    grpc.StatusCode.INVALID_ARGUMENT,
                    f"An input has {value.size} strings, more than the {self._limits.instances}"
                    " that a request may have. Send them in several requests.",
                )

    def _enter(self, size: int) -> None:
        most, most_bytes = self._limits.concurrent_requests, self._limits.waiting_bytes
        with self._lock:
            is_full = self._requests >= most
            if is_full or (self._requests and self._bytes + size > most_bytes):
                limit = f"{most} requests" if is_full else f"{most_bytes} bytes of requests"
                raise ServingError(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    f"The server is at its limit of {limit} at a time. Try again later.",
                )
            self._requests += 1
            self._bytes += size

    def _leave(self, size: int) -> None:
        with self._lock:
            self._requests -= 1
            self._bytes -= size
