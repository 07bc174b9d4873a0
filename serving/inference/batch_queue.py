"""Requests that wait, gathered into batches as TensorFlow Serving's scheduler gathers them.

A batch runs as soon as a thread is free and it is full, or its oldest request has waited for
`batch_timeout_micros`. While all threads are busy the requests that come in join up, so that with a
timeout of 0 the size of the batches follows the load and nobody waits for company.

Of a request that runs in parts one part waits at a time, behind what came since: a request of a
thousand images does not hold up one of a single image.
"""

import threading
import time
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Final

import grpc

from serving.errors import ServingError, invalid_argument
from serving.inference.batching_parameters import BatchingParameters
from serving.inference.deadline import NEVER, Deadline
from serving.inference.joined_run import run_together
from serving.inference.tasks import Piece, Task

_MICROSECOND: Final = 1e-6


@dataclass
class _Batch:
    opened: float
    pieces: list[Piece] = field(default_factory=list)
    rows: int = 0

    def add(self, piece: Piece) -> None:
        self.pieces.append(piece)
        self.rows += piece.rows


class BatchQueue:
    """Runs tasks in threads of its own, those together that can be joined."""

    def __init__(self, parameters: BatchingParameters, joins: bool = True) -> None:
        """Starts the threads.

        Args:
            parameters: sizes and times.
            joins: whether to join requests at all.
        """
        self._parameters = parameters
        self._joins = joins
        self._queues: OrderedDict[Hashable, deque[_Batch]] = OrderedDict()
        self._changed = threading.Condition()
        self._closing = False
        self._threads = [
            threading.Thread(target=self._work, name=f"batch-{number}", daemon=True)
            for number in range(parameters.num_batch_threads)
        ]
        for thread in self._threads:
            thread.start()

    def add(self, task: Task) -> None:
        """Puts a request into the queue.

        Raises:
            ServingError: it is too large, or too much waits already.
        """
        if not self._joins or task.rows is None:
            self._add_alone(task)
            return
        if task.rows > self._parameters.max_batch_size:
            raise invalid_argument(
                f"Task size {task.rows} is larger than maximum input batch size"
                f" {self._parameters.max_batch_size}"
            )
        with self._changed:
            self._require_open()
            key = task.key(self._parameters.pad_variable_length_inputs)
            batches = self._queues.get(key, deque())
            if len(batches) >= self._parameters.max_enqueued_batches:
                _drop_unwanted(batches)
            self._require_room(batches, min(task.rows, self._parameters.rows_at_once))
            self._queues[key] = batches
            self._append_next(batches, task)
            self._changed.notify()

    def close(self, until: Deadline = NEVER) -> None:
        """Runs what waits, and ends the threads; one that is still busy then is left to itself."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(until.remaining())

    def _add_alone(self, task: Task) -> None:
        batch = _Batch(opened=0.0)
        batch.add(Piece(task))
        with self._changed:
            self._require_open()
            self._queues[task] = deque([batch])
            self._changed.notify()

    def _require_open(self) -> None:
        if self._closing:
            raise ServingError(grpc.StatusCode.UNAVAILABLE, "The server is shutting down.")

    def _require_room(self, batches: "deque[_Batch]", rows: int) -> None:
        most, size = self._parameters.max_enqueued_batches, self._parameters.rows_at_once
        open_rows = batches[-1].rows if batches else 0
        room = (most - len(batches)) * size + (size - open_rows if batches else 0)
        if batches and rows > room:
            raise ServingError(
                grpc.StatusCode.UNAVAILABLE,
                "The batch scheduling queue to which this task was submitted is full; task size is"
                f" {rows} but scheduling capacity is only {room}"
                f" (num_enqueued_batches={len(batches)}, max_enqueued_batches={most},"
                f" open_batch_size={open_rows}, max_execution_batch_size={size})",
            )

    def _append_next(self, batches: "deque[_Batch]", task: Task) -> None:
        piece = task.next_piece(self._parameters.rows_at_once)
        if piece is None:
            return
        if not batches or batches[-1].rows + piece.rows > self._parameters.rows_at_once:
            batches.append(_Batch(time.monotonic()))
        batches[-1].add(piece)

    def _work(self) -> None:
        while (batch := self._next()) is not None:
            run_together(batch.pieces, self._parameters)
            del batch  # the model of a batch that is done must not outlive its version

    def _next(self) -> _Batch | None:
        """Waits for a batch that may run; None at the end."""
        with self._changed:
            while True:
                wait = None
                for key, batches in self._queues.items():
                    seconds = self._seconds_until_ready(batches)
                    if seconds <= 0:
                        return self._take(key, batches)
                    wait = seconds if wait is None else min(wait, seconds)
                if self._closing and not self._queues:
                    return None
                self._changed.wait(None if wait is None else min(wait, threading.TIMEOUT_MAX))

    def _seconds_until_ready(self, batches: "deque[_Batch]") -> float:
        is_full = len(batches) > 1 or batches[0].rows >= self._parameters.rows_at_once
        if is_full or self._closing:
            return 0.0
        timeout = self._parameters.batch_timeout_micros * _MICROSECOND
        return batches[0].opened + timeout - time.monotonic()

    def _take(self, key: Hashable, batches: "deque[_Batch]") -> _Batch:
        batch = batches.popleft()
        for piece in batch.pieces:
            if piece.end is not None and piece.task.is_wanted():
                self._append_next(batches, piece.task)
        if batches:
            self._queues.move_to_end(key)  # the others' turn is next
        else:
            del self._queues[key]
        if self._queues:
            self._changed.notify()
        return batch


def _drop_unwanted(batches: "deque[_Batch]") -> None:
    """Makes room where clients have left."""
    for batch in batches:
        batch.pieces = [piece for piece in batch.pieces if piece.task.is_wanted()]
        batch.rows = sum(piece.rows for piece in batch.pieces)
    kept = [batch for batch in batches if batch.pieces]
    batches.clear()
    batches.extend(kept)
