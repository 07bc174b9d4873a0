"""Which instance of a batch it is that a graph cannot do with."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from typing import Any

import grpc

from serving.errors import ServingError
from serving.inference.deadline import Deadline
from serving.inference.runner import Runner
from serving.inference.signature_call import SignatureCall
from serving.tensors.halving import first_failing
from serving.tensors.tensor_protos import Tensors


async def run_or_blame(
    runner: Runner, lane: Executor, call: SignatureCall, deadline: Deadline
) -> Tensors:
    """Runs a call on the event loop's behalf.

    Args:
        runner: runs it.
        lane: looks for the instance that is to blame when it fails.
        call: what to run.
        deadline: after it nothing is begun.

    Raises:
        ServingError: why it failed, with the instance that is to blame if there is a single one.
    """
    running = runner.submit_call(call, deadline)
    try:
        return await asyncio.wrap_future(running)
    except ServingError as error:
        if not may_be_blamed(error, call):
            raise

        def run(part: SignatureCall) -> None:
            runner.submit_call(part, deadline).result()

        loop = asyncio.get_running_loop()
        raise await loop.run_in_executor(lane, blamed, error, call, run) from error


def may_be_blamed(error: ServingError, call: SignatureCall) -> bool:
    """Whether `error` can be the fault of one instance among several."""
    counts = {value.shape[:1] for value in call.feeds.values()}
    return (
        error.code is grpc.StatusCode.INVALID_ARGUMENT
        and len(counts) == 1
        and counts.isdisjoint({(), (0,), (1,)})
    )


def blamed(
    error: ServingError, call: SignatureCall, run: Callable[[SignatureCall], Any]
) -> ServingError:
    """Says in `error` which instance is to blame, if a single one is.

    A graph fails for the whole batch. The batch is halved, and the halves run, until the first
    instance is found that fails alone; it costs about as much as the batch itself.

    Args:
        error: why the batch failed; see `may_be_blamed`.
        call: the batch; the first dimension of every input counts the instances.
        run: runs a part of it, and raises `ServingError`.
    """

    def fault(start: int, end: int) -> ServingError | None:
        try:
            run(replace(call, feeds={name: value[start:end] for name, value in call.feeds.items()}))
        except ServingError as found:
            return found
        return None

    count = len(next(iter(call.feeds.values())))
    first = first_failing(count, lambda start, end: fault(start, end) is not None)
    own = fault(first, first + 1)
    if own is None or own.code is not error.code:
        return error
    return ServingError(own.code, f"Instance {first} of the request: {own.message}")
