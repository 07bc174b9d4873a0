"""Serves an oracle to workers on other machines while a search runs.

The protocol is Keras Tuner's: neither encrypted nor authenticated. The mark that workers read in
the search's folder keeps those of another search out, and nobody who listens.
"""

import contextlib
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from keras_tuner.engine.trial import Trial
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_chief import OracleServicer, exit_chief

from models.errors import UsageError
from models.head.labelled_embeddings import HeadTask
from models.history.records import SearchDescription
from models.oracles.leases import LeasingOracle
from models.search.workers.chief_client import MARK, MESSAGE
from models.search.workers.served_search import ServedSearch, remove_served, write_served

_THREADS = 16
_FAREWELL_SECONDS = 5.0
"""For which workers are given to hear that the search has ended; others find out by the folder."""


@contextlib.contextmanager
def serving(
    oracle: LeasingOracle,
    address: str,
    folder: Path,
    *,
    task: HeadTask,
    search: SearchDescription,
    code: str,
) -> Iterator[None]:
    """Serves an oracle for as long as the block lasts.

    Args:
        oracle: of the search.
        address: `HOST:PORT` of this machine.
        folder: of the search, where workers look.
        task: what heads are trained on.
        search: how.
        code: digest of the training code.

    Raises:
        UsageError: the address cannot be listened at.
        OSError: the disk is full or the folder cannot be written.
    """
    mark = uuid.uuid4().hex
    # Without the option a second run would share the port, and each get half of the calls.
    server = grpc.server(
        ThreadPoolExecutor(_THREADS, thread_name_prefix="search"),
        interceptors=[_OfThisSearch(mark)],
        options=[("grpc.so_reuseport", 0)],
    )
    protos.get_service_grpc().add_OracleServicer_to_server(_Servicer(oracle), server)
    try:
        server.add_insecure_port(address)
    except RuntimeError as error:
        raise UsageError(
            f"tuning.serve: {address} cannot be listened at. Expected an address of this machine "
            "and a port that is free."
        ) from error
    served = ServedSearch(
        mark=mark, address=address, code=code, classes=task.classes, search=search
    )
    try:
        # First: workers of an earlier run learn from the folder that this one is another.
        write_served(folder, served, task)
        server.start()
        yield
        _wait_for_farewells(oracle)
    finally:
        remove_served(folder)
        server.stop(grace=None).wait()


def _wait_for_farewells(oracle: LeasingOracle) -> None:
    deadline = time.monotonic() + _FAREWELL_SECONDS
    while not exit_chief(oracle) and time.monotonic() < deadline:
        time.sleep(0.05)


class _Servicer(OracleServicer):
    """Keras Tuner's servicer, that also takes the reason of a failed trial."""

    def EndTrial(self, request: Any, context: grpc.ServicerContext) -> Any:  # noqa: N802 - gRPC's name
        """Ends a trial."""
        trial = Trial.from_proto(request.trial)
        told = dict(context.invocation_metadata()).get(MESSAGE, b"")
        trial.message = told.decode(errors="replace") or None
        self.oracle.end_trial(trial)
        return protos.get_service().EndTrialResponse()


class _OfThisSearch(grpc.ServerInterceptor):
    """Refuses workers of another search, or of this one before its run was begun anew."""

    def __init__(self, mark: str) -> None:
        self._mark = mark

    def intercept_service(
        self, continuation: Callable[[Any], Any], details: grpc.HandlerCallDetails
    ) -> Any:
        if (MARK, self._mark) in [tuple(pair) for pair in details.invocation_metadata]:
            return continuation(details)
        return grpc.unary_unary_rpc_method_handler(_refuse)


def _refuse(_: bytes, context: grpc.ServicerContext) -> None:
    context.abort(
        grpc.StatusCode.FAILED_PRECONDITION,
        "another search is served there, or this one was begun anew; start the worker again",
    )
