"""A worker's side of the connection to the run that serves a search."""

import time
from pathlib import Path

import grpc

from models import progress
from models.errors import GraftError
from models.search.workers.messages import MARK, SERVICE, Answer, Report
from models.search.workers.served_search import ServedSearch, is_served
from models.search.workers.signature import NONCE, SIGNATURE, Signer, is_same, new_nonce

_PATIENCE_SECONDS = 5.0
"""Of one attempt at a call; all calls may be made twice."""
_PASSING = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
_OPTIONS = [
    # The scores of a long search are more than gRPC's 4 MB.
    ("grpc.max_receive_message_length", -1),
    # The run is on this machine or in a network of one's own.
    ("grpc.enable_http_proxy", 0),
]


class SearchEndedError(GraftError):
    """The search is served no longer, or has been begun anew."""


class ChiefClient:
    """Asks the run for jobs.

    Attributes:
        made: trials that were made here.
    """

    def __init__(
        self, folder: Path, served: ServedSearch, timeout: float, secret: bytes = b""
    ) -> None:
        """Connects when it is first called.

        Args:
            folder: of the search.
            served: read from there.
            timeout: seconds for which a run that does not answer is waited for.
            secret: that calls are signed with; empty for none.
        """
        self.made = 0
        self._channel = grpc.insecure_channel(served.address, options=_OPTIONS)
        self._folder = folder
        self._served = served
        self._timeout = timeout
        self._signer = Signer(secret, served.mark)

    def next(self, report: Report) -> Answer:
        """Reports what came of the last job and asks for the next.

        Raises:
            SearchEndedError: the search is served no longer.
            GraftError: the run does not answer, or refuses.
        """
        answer = self._call("next", report)
        if report.job:
            self.made += 1
            progress.report(self.made, None, "trials")
        return answer

    def beat(self, report: Report) -> Answer:
        """Says that this worker is there, and which job it is at.

        Raises:
            SearchEndedError: the search is served no longer.
            GraftError: the run does not answer, or refuses.
        """
        return self._call("beat", report)

    def close(self) -> None:
        """Hangs up."""
        self._channel.close()

    def _call(self, method: str, report: Report) -> Answer:
        call = self._channel.unary_unary(f"/{SERVICE}/{method}")
        content = report.model_dump_json().encode()
        nonce = new_nonce()
        signature = self._signer.call(method, nonce, content)
        told = ((MARK, self._served.mark), (NONCE, nonce), (SIGNATURE, signature))
        deadline = time.monotonic() + self._timeout
        while True:
            patience = min(_PATIENCE_SECONDS, self._timeout)
            try:
                answer, done = call.with_call(
                    content, wait_for_ready=True, timeout=patience, metadata=told
                )
                signed = dict(done.trailing_metadata() or ()).get(SIGNATURE, "")
                self._check(str(signed), self._signer.answer(method, nonce, answer))
                return Answer.model_validate_json(answer, strict=True)
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

    def _check(self, signed: str, signature: str) -> None:
        if not is_same(signed, signature):
            raise GraftError(
                f"What answered at {self._served.address} does not know the secret of this search. "
                "Nothing was trained for it. See who listens there."
            )
