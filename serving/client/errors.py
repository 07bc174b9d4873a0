"""How a request may end without an answer."""

from enum import Enum

from models.errors import GraftError

HINT = "`graft serve` starts a server for the pushed model."


class PredictionError(GraftError):
    """The server could not be reached, or gave no answer that can be used."""


class RequestRefusedError(PredictionError):
    """The server cannot do with what it was sent, such as an image that it does not decode."""


class Why(Enum):
    """Why an attempt got no answer, where another one may."""

    UNREACHED = "no connection was made"
    BROKEN = "the connection broke, or carried no answer"
    BUSY = "the server says that it cannot answer now"


class UnansweredError(Exception):
    """An attempt after which another one may be answered; it never leaves the client.

    Attributes:
        why: of which kind.
        final: what the caller is told if no other attempt is made.
        wait: seconds that the server asks to be left alone.
    """

    def __init__(self, why: Why, final: PredictionError, wait: float = 0.0) -> None:
        super().__init__(str(final))
        self.why = why
        self.final = final
        self.wait = wait
