"""Runs pieces of requests together, and gives each its own answer."""

from collections.abc import Sequence
from typing import Any

import grpc
import numpy as np
from numpy.typing import NDArray

from serving.errors import ServingError
from serving.inference.batching_parameters import BatchingParameters
from serving.inference.tasks import Piece
from serving.tensors.tensor_protos import Tensors


def run_together(pieces: Sequence[Piece], parameters: BatchingParameters) -> None:
    """Runs what is wanted of `pieces` in one go.

    If that fails, halves run by themselves, down to single pieces: a broken image is the matter of
    the request that it came with.
    """
    wanted = [piece for piece in pieces if piece.task.is_wanted()]
    if not wanted:
        return
    try:
        answers = _answers(wanted, parameters)
    except Exception as error:  # noqa: BLE001 (whoever waits gets it)
        if len(wanted) == 1:
            wanted[0].task.fail(error)
            return
        half = len(wanted) // 2
        run_together(wanted[:half], parameters)
        run_together(wanted[half:], parameters)
    else:
        for piece, answer in zip(wanted, answers, strict=True):
            piece.deliver(answer)


def _answers(pieces: Sequence[Piece], parameters: BatchingParameters) -> list[list[NDArray[Any]]]:
    call = pieces[0].task.call
    rows = sum(piece.rows for piece in pieces)
    padding = 0 if pieces[0].end is None else parameters.allowed_size(rows) - rows
    if len(pieces) == 1 and pieces[0].is_whole and not padding:
        return [call.model.run(call.feeds, call.fetches)]
    fetched = call.model.run(joined([piece.feeds for piece in pieces], padding), call.fetches)
    if any(value.shape[:1] != (rows + padding,) for value in fetched):
        raise ServingError(
            grpc.StatusCode.FAILED_PRECONDITION,
            "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension"
            " sizes of the input tensors",
        )
    ends = np.cumsum([piece.rows for piece in pieces]).tolist()
    return [
        [value[end - piece.rows : end] for value in fetched]
        for piece, end in zip(pieces, ends, strict=True)
    ]


def joined(feeds: Sequence[Tensors], padding: int) -> Tensors:
    """Puts the inputs of several requests below each other.

    Args:
        feeds: name to value, the same names in each.
        padding: rows to add; they repeat the first one, which is sure to be valid input.
    """
    together = {}
    for name in feeds[0]:
        values = [one[name] for one in feeds]
        if padding:
            values.append(np.repeat(values[0][:1], padding, axis=0))
        if len({value.shape[1:] for value in values}) > 1:
            values = _of_one_shape(values)
        together[name] = np.concatenate(values) if len(values) > 1 else values[0]
    return together


def _of_one_shape(values: Sequence[NDArray[Any]]) -> list[NDArray[Any]]:
    """Fills every value up to the longest of each dimension, with its own first element."""
    longest = np.max([value.shape[1:] for value in values], axis=0)
    filled = []
    for value in values:
        filler = value.flat[0] if value.size else (b"" if value.dtype == object else 0)
        large = np.full((len(value), *longest), filler, dtype=value.dtype)
        large[tuple(map(slice, value.shape))] = value
        filled.append(large)
    return filled
