"""Runs requests, for REST and gRPC alike; one that nobody waits for any more is never run."""

import os
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import grpc
from numpy.typing import NDArray

from serving.errors import ServingError
from serving.inference.deadline import NEVER, Deadline
from serving.inference.signature_call import SignatureCall, checked_call
from serving.limits import Limits
from serving.servables.model_versions import Lease
from serving.tensors.tensor_protos import Tensors


class Runner:
    """Runs graphs in threads of its own."""

    def __init__(self, limits: Limits | None = None, threads: int | None = None) -> None:
        """Starts no thread before there is a request.

        Args:
            limits: bounds the requests that wait or run.
            threads: requests that run at a time; twice the number of cores if None, so that a long
                request leaves the short ones a way past it.
        """
        self._limits = limits or Limits()
        self._pool = ThreadPoolExecutor(threads or 2 * (os.cpu_count() or 1), "run")
        self._lock = threading.Lock()
        self._requests = 0

    def submit(
        self,
        lease: Lease,
        signature_name: str,
        inputs: Mapping[str, NDArray[Any]],
        output_filter: Sequence[str] = (),
        deadline: Deadline = NEVER,
    ) -> "Future[Tensors]":
        """Runs a signature on `inputs` when its turn comes.

        Args:
            lease: the version to run; held by the caller until the future is done or cancelled.
            signature_name: one of the signatures of the version.
            inputs: one value for each input of the signature that has no default.
            output_filter: aliases to compute; all if empty.
            deadline: after it the request is not begun.

        Returns:
            Alias to value; fails with `ServingError`. Cancelling it takes the request out of the
            queue, unless it already runs.

        Raises:
            ServingError: inputs or outputs do not match the signature, or too many requests wait.
        """
        signature = lease.model.signatures[signature_name]
        call = checked_call(lease.model, signature, inputs, output_filter)
        self._enter()
        future: Future[Tensors] = Future()
        future.add_done_callback(self._leave)
        self._pool.submit(_run, call, future, deadline)
        return future

    def close(self) -> None:
        """Finishes the requests that wait, and ends the threads."""
        self._pool.shutdown()

    def _enter(self) -> None:
        with self._lock:
            if self._requests >= self._limits.concurrent_requests:
                raise ServingError(
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                    f"The server is at its limit of {self._limits.concurrent_requests} requests at"
                    " a time. Try again later.",
                )
            self._requests += 1

    def _leave(self, _: "Future[Tensors]") -> None:
        with self._lock:
            self._requests -= 1


def _run(call: SignatureCall, future: "Future[Tensors]", deadline: Deadline) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        if deadline.expired:
            message = "The deadline passed before the request could run."
            raise ServingError(grpc.StatusCode.DEADLINE_EXCEEDED, message)
        future.set_result(call.run())
    except BaseException as error:  # noqa: BLE001 (whoever waits gets it)
        future.set_exception(error)
