"""A request on its way through the queue, whole or in pieces."""

import threading
from collections.abc import Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from serving.errors import ServingError, without_frames
from serving.inference.deadline import Deadline
from serving.inference.signature_call import SignatureCall
from serving.tensors.tensor_protos import Tensors


@dataclass(eq=False)
class Task:
    """A request that waits or runs.

    Attributes:
        call: what to run.
        future: where the answer goes. It stays cancellable until the answer is there.
        deadline: after it nothing of the request is begun.
        rows: the first dimension that all inputs have in common; None if they have none, and the
            request can be neither joined nor cut.
    """

    call: SignatureCall
    future: "Future[Tensors]"
    deadline: Deadline
    rows: int | None = field(init=False)

    def __post_init__(self) -> None:
        sizes = {value.shape[:1] for value in self.call.feeds.values()}
        size = next(iter(sizes)) if len(sizes) == 1 else ()
        self.rows = size[0] if size and size[0] else None
        self._lock = threading.Lock()
        self._answers: dict[int, list[NDArray[Any]]] = {}
        self._cut = 0

    def key(self, any_length: bool) -> Hashable:
        """What two requests have in common that can be joined.

        Args:
            any_length: whether only the number of dimensions counts, not the dimensions.
        """
        call = self.call
        shapes = (
            (name, value.dtype.str, value.ndim if any_length else value.shape[1:])
            for name, value in sorted(call.feeds.items())
        )
        return (call.model, call.fetches, *shapes)

    def next_piece(self, most_rows: int) -> "Piece | None":
        """Cuts off at most `most_rows` of what is left; None if nothing is."""
        begin, rows = self._cut, self.rows or 0
        if begin >= rows:
            return None
        self._cut = min(begin + most_rows, rows)
        return Piece(self, begin, self._cut)

    def is_wanted(self) -> bool:
        """Whether anybody waits for an answer still; one whose deadline has passed is told so."""
        if self.future.done():
            return False
        if self.deadline.expired:
            message = "The deadline passed before the request could run."
            self.fail(ServingError(grpc.StatusCode.DEADLINE_EXCEEDED, message))
            return False
        return True

    def deliver(self, begin: int, fetched: list[NDArray[Any]]) -> None:
        """Takes the answer to the rows from `begin` on; the last one completes the request."""
        with self._lock:
            self._answers[begin] = fetched
            done = sum(len(answer[0]) for answer in self._answers.values()) == self.rows
        if done:
            parts = [self._answers[begin] for begin in sorted(self._answers)]
            self.succeed([np.concatenate(values) for values in zip(*parts, strict=True)])

    def succeed(self, fetched: list[NDArray[Any]]) -> None:
        """Answers with the values of the fetches."""
        with self._lock:
            if not self.future.done() and self.future.set_running_or_notify_cancel():
                self.future.set_result(self.call.answer(fetched))

    def fail(self, error: BaseException) -> None:
        """Answers with an error; only the first answer counts."""
        if isinstance(error, ServingError):
            error = without_frames(error)
        with self._lock:
            if not self.future.done() and self.future.set_running_or_notify_cancel():
                self.future.set_exception(error)


@dataclass(frozen=True)
class Piece:
    """Rows `begin` to `end` of a request; `end` is None for all of one that is not to be cut."""

    task: Task
    begin: int = 0
    end: int | None = None

    @property
    def rows(self) -> int:
        """How many rows; 1 for a request that is not to be cut."""
        return 1 if self.end is None else self.end - self.begin

    @property
    def is_whole(self) -> bool:
        """Whether this is all of the request."""
        return self.end is None or self.rows == self.task.rows

    @property
    def feeds(self) -> Tensors:
        """Name of a tensor to the rows of this piece."""
        feeds = self.task.call.feeds
        if self.is_whole:
            return feeds
        return {name: value[self.begin : self.end] for name, value in feeds.items()}

    def deliver(self, fetched: list[NDArray[Any]]) -> None:
        """Hands the answer to the request."""
        if self.is_whole:
            self.task.succeed(fetched)
        else:
            self.task.deliver(self.begin, fetched)
