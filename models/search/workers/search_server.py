"""Serves a search to its workers while it runs.

The mark that workers read in the search's folder keeps those of another search out, and a signature
(`models.search.workers.signature`) those who do not know the secret. Nothing is encrypted.
"""

import contextlib
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import grpc

from models.errors import UsageError
from models.oracles.leases import IDLE_SECONDS
from models.search.workers.messages import MARK, SERVICE, Answer, Report
from models.search.workers.served_search import ServedSearch, remove_served, write_served
from models.search.workers.signature import NONCE, SIGNATURE, Signer, is_same
from models.search.workers.stage import Stage

LOOPBACK = "127.0.0.1:0"
"""A free port that this machine alone can reach."""

_THREADS = 16
_FAREWELL_SECONDS = 5.0
"""For which workers are given to hear that the search has ended; others find out by the folder."""


class SearchServer:
    """Answers workers.

    Attributes:
        stage: that jobs are given of; None where there are none now.
    """

    def __init__(self, mark: str, secret: bytes = b"") -> None:
        """Takes the mark that all calls must have, and the secret that they are signed with."""
        self.stage: Stage | None = None
        self._mark = mark
        self._signer = Signer(secret, mark)
        self._is_ending = False
        self._asked: dict[str, float] = {}

    def next(self, report: Report) -> Answer:
        """Takes what came of a worker's last job, and gives it the next one."""
        if self._is_ending:
            self._asked.pop(report.worker, None)
            return Answer(is_over=True)
        self._asked[report.worker] = time.monotonic()
        answer = self.stage.next(report) if self.stage else Answer(is_over=True)
        if answer.is_over:
            # The farewell is said to all at once.
            time.sleep(IDLE_SECONDS)
            return Answer()
        return answer

    def beat(self, report: Report) -> Answer:
        """Hears that a worker is still at its job."""
        return self.stage.beat(report) if self.stage else Answer()

    def say_farewell(self) -> None:
        """Waits until all who ask for a job have heard that the search has ended."""
        self._is_ending = True
        while any(
            time.monotonic() - asked < _FAREWELL_SECONDS for asked in tuple(self._asked.values())
        ):
            time.sleep(0.05)

    def handlers(self) -> grpc.GenericRpcHandler:
        """What gRPC calls."""
        methods = {
            name: self._handler(name, method)
            for name, method in (("next", self.next), ("beat", self.beat))
        }
        return grpc.method_handlers_generic_handler(SERVICE, methods)

    def _handler(self, name: str, method: Callable[[Report], Answer]) -> grpc.RpcMethodHandler:
        """Refuses workers of another search, or of this one before its run was begun anew."""

        def answer(content: bytes, context: grpc.ServicerContext) -> bytes:
            told = dict(context.invocation_metadata())
            if told.get(MARK) != self._mark:
                context.abort(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    "another search is served there, or this one was begun anew; start the worker "
                    "again",
                )
            nonce = str(told.get(NONCE, ""))
            signature = self._signer.call(name, nonce, content)
            if not is_same(str(told.get(SIGNATURE, "")), signature):
                context.abort(
                    grpc.StatusCode.UNAUTHENTICATED,
                    "the call is not signed with the run's secret (tuning.serve_secret); start the "
                    "worker with --secret and a file that holds the same",
                )
            report = Report.model_validate_json(content, strict=True)
            said = method(report).model_dump_json().encode()
            signed = self._signer.answer(name, nonce, said)
            context.set_trailing_metadata(((SIGNATURE, signed),))
            return said

        return grpc.unary_unary_rpc_method_handler(answer)


@contextlib.contextmanager
def serving(served: ServedSearch, folder: Path, secret: bytes = b"") -> Iterator[SearchServer]:
    """Serves a search for as long as the block lasts.

    Args:
        served: the search; its address is `HOST:PORT` of this machine.
        folder: of the search, where workers look.
        secret: that calls are signed with; empty for none.

    Raises:
        UsageError: the address cannot be listened at.
        OSError: the disk is full or the folder cannot be written.
    """
    search = SearchServer(served.mark, secret)
    # Without the option a second run would share the port, and each get half of the calls.
    server = grpc.server(
        ThreadPoolExecutor(_THREADS, thread_name_prefix="search"),
        handlers=[search.handlers()],
        options=[("grpc.so_reuseport", 0)],
    )
    try:
        port = server.add_insecure_port(served.address)
    except RuntimeError as error:
        raise UsageError(
            f"tuning.serve: {served.address} cannot be listened at. Expected an address of this "
            "machine and a port that is free."
        ) from error
    host = served.address.rpartition(":")[0]
    try:
        # First: workers of an earlier run learn from the folder that this one is another.
        write_served(folder, served.model_copy(update={"address": f"{host}:{port}"}))
        server.start()
        yield search
        search.say_farewell()
    finally:
        remove_served(folder)
        server.stop(grace=None).wait()
