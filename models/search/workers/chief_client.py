"""A worker's side of the connection to the run that serves a search."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
from keras_tuner.engine.trial import Trial
from keras_tuner.src import protos
from keras_tuner.src.distribute.oracle_client import OracleClient

from models.errors import GraftError
from models.search.workers.served_search import ServedSearch, is_served

MARK = "graft-search"
"""Metadata of every call: `ServedSearch.mark`."""
MESSAGE = "graft-message-bin"
"""Metadata of the end of a failed trial, for which Keras Tuner's protocol has no place."""

_PATIENCE_SECONDS = 5.0
"""Of one attempt at a call; all calls may be made twice."""
_PASSING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class SearchEndedError(GraftError):
    """The search is served no longer, or has been begun anew."""


class ChiefClient(OracleClient):
    """Keras Tuner's client, that neither reads the environment nor waits for an hour."""

    def __init__(self, folder: Path, served: ServedSearch, tuner_id: str, timeout: float) -> None:
        """Connects when it is first called.

        Args:
            folder: of the search.
            served: read from there.
            tuner_id: of this worker; no two may have the same.
            timeout: seconds for which a run that does not answer is waited for.
        """
        self._oracle = None
        self._channel = grpc.insecure_channel(served.address)
        self.stub = _Stub(protos.get_service_grpc().OracleStub(self._channel), self._call)
        self.tuner_id = tuner_id
        self.multi_worker = False
        self.should_report = True
        self._folder = folder
        self._served = served
        self._timeout = timeout
        self._message = ""

    def end_trial(self, trial: Trial) -> None:
        """Ends a trial, and says why it failed."""
        self._message = trial.message or ""
        super().end_trial(trial)
        self._message = ""

    def close(self) -> None:
        """Hangs up."""
        self._channel.close()

    def _call(self, method: Any, request: Any) -> Any:
        metadata = ((MARK, self._served.mark), (MESSAGE, self._message.encode()))
        deadline = time.monotonic() + self._timeout
        while True:
            patience = min(_PATIENCE_SECONDS, self._timeout)
            try:
                return method(request, wait_for_ready=True, timeout=patience, metadata=metadata)
            except grpc.RpcError as error:
                if not is_served(self._folder, self._served):
                    raise SearchEndedError("The search has ended.") from None
                if error.code() not in _PASSING:
                    raise GraftError(
                        f"The run at {self._served.address} refused: {error.details()}"
                    ) from error
                if time.monotonic() > deadline:
                    raise GraftError(
                        f"The run at {self._served.address} did not answer for "
                        f"{self._timeout:.0f} s. If it was stopped, begin it again, and then this "
                        "worker; finished trials are kept. Otherwise see whether the port is open."
                    ) from None


class _Stub:
    """Keras Tuner's stub, whose calls go through a function that takes method and request."""

    def __init__(self, stub: Any, call: Callable[[Any, Any], Any]) -> None:
        self._stub = stub
        self._call = call

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._stub, name)
        return lambda request, **_: self._call(method, request)
