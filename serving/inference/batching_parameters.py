"""How requests are joined: TensorFlow Serving's `BatchingParameters`."""

import itertools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from models.errors import UsageError
from serving.text_proto import read_text_proto

_FIELDS: Final = {
    "max_batch_size": "Int64Value",
    "batch_timeout_micros": "Int64Value",
    "max_enqueued_batches": "Int64Value",
    "num_batch_threads": "Int64Value",
    "thread_pool_name": "StringValue",
    "allowed_batch_sizes": "repeated int64",
    "pad_variable_length_inputs": "bool",
    "enable_large_batch_splitting": "BoolValue",
    "max_execution_batch_size": "Int64Value",
}
_NUMBERS: Final = [name for name, kind in _FIELDS.items() if kind == "Int64Value"]
_MOST_AT_ONCE: Final = 16
_MOST_THREADS: Final = 4096


@dataclass(frozen=True)
class BatchingParameters:
    """How requests are joined.

    Where TensorFlow Serving would run a thousand images at once, which takes a gigabyte and holds
    everybody else up, at most 16 run at once here unless the file says otherwise: with a core for
    each batch, larger ones cost no less an image.

    Attributes:
        max_batch_size: most rows of one request.
        batch_timeout_micros: how long a batch that is not full waits for more, once a thread is
            free to run it.
        max_enqueued_batches: batches of one kind that may wait.
        num_batch_threads: batches that run at a time; as many as there are cores unless set.
        allowed_batch_sizes: a batch is filled up to the next of these, by repeating a row of its
            own; empty for any size.
        pad_variable_length_inputs: whether to join inputs of different shapes, filled up with their
            first elements.
        enable_large_batch_splitting: whether a request may run in parts.
        max_execution_batch_size: most rows that run at once; `max_batch_size` without splitting.
    """

    max_batch_size: int = 1000
    batch_timeout_micros: int = 0
    max_enqueued_batches: int = 100
    num_batch_threads: int = os.cpu_count() or 1
    allowed_batch_sizes: tuple[int, ...] = ()
    pad_variable_length_inputs: bool = False
    enable_large_batch_splitting: bool = True
    max_execution_batch_size: int = _MOST_AT_ONCE

    def __post_init__(self) -> None:
        for name in _NUMBERS:
            least = 0 if name == "batch_timeout_micros" else 1
            if getattr(self, name) < least:
                raise UsageError(f"{name} is {getattr(self, name)}, expected at least {least}.")
        if self.num_batch_threads > _MOST_THREADS:
            raise UsageError(
                f"num_batch_threads is {self.num_batch_threads}, expected at most {_MOST_THREADS}:"
                " more threads than cores make nothing faster."
            )
        if any(b <= a for a, b in itertools.pairwise((0, *self.allowed_batch_sizes))):
            sizes = list(self.allowed_batch_sizes)
            raise UsageError(f"allowed_batch_sizes must be positive and increase, and are {sizes}.")
        if self.allowed_batch_sizes and self.allowed_batch_sizes[-1] != self.rows_at_once:
            raise UsageError(
                "Last entry in allowed_batch_sizes must match max_batch_size or, with"
                " enable_large_batch_splitting, max_execution_batch_size; last entry was"
                f" {self.allowed_batch_sizes[-1]}; expected {self.rows_at_once}."
            )

    @property
    def rows_at_once(self) -> int:
        """Most rows that run at once."""
        if not self.enable_large_batch_splitting:
            return self.max_batch_size
        return min(self.max_batch_size, self.max_execution_batch_size)

    def allowed_size(self, rows: int) -> int:
        """The size that a batch of `rows` is filled up to."""
        return next((size for size in self.allowed_batch_sizes if size >= rows), rows)


def read_batching_parameters(path: Path) -> BatchingParameters:
    """Reads the file of `--batching_parameters_file`.

    A file that sets `max_batch_size` alone means TensorFlow Serving's behaviour: no splitting.

    Raises:
        UsageError: there is no such file, or it asks for what cannot be.
    """
    message = read_text_proto(path, "BatchingParameters", _FIELDS)
    given: dict[str, Any] = {
        name: getattr(message, name).value for name in _NUMBERS if message.HasField(name)
    }
    splits = message.enable_large_batch_splitting.value
    if splits or "max_batch_size" in given:
        given["enable_large_batch_splitting"] = splits
    if splits:
        given.setdefault("max_execution_batch_size", given.get("max_batch_size", 1000))
    try:
        return BatchingParameters(
            **given,
            allowed_batch_sizes=tuple(message.allowed_batch_sizes),
            pad_variable_length_inputs=message.pad_variable_length_inputs,
        )
    except UsageError as error:
        raise UsageError(f"{path}: {error}") from error
