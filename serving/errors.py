"""Errors of the serving API: a canonical status code and the message that the client gets."""

import re
from typing import Final

import grpc

HTTP_STATUS: Final = {
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}
"""HTTP status that TensorFlow Serving's REST API gives for a code; 500 for the others."""

_BY_NUMBER: Final = {code.value[0]: code for code in grpc.StatusCode}


_BY_HTTP: Final = {
    **{status: code for code, status in reversed(HTTP_STATUS.items())},
    408: grpc.StatusCode.DEADLINE_EXCEEDED,
    413: grpc.StatusCode.RESOURCE_EXHAUSTED,
    431: grpc.StatusCode.RESOURCE_EXHAUSTED,
    502: grpc.StatusCode.UNAVAILABLE,
}
_FIRST_ERROR: Final = 400
_PYTHON_LINES: Final = re.compile(r"Traceback \(most recent call last\):\n(?:[ \t][^\n]*\n|\n)*")


def code_of_http(status: int) -> grpc.StatusCode:
    """The code that an HTTP status stands for."""
    if status < _FIRST_ERROR:
        return grpc.StatusCode.OK
    return _BY_HTTP.get(status, grpc.StatusCode.INTERNAL)


class ServingError(Exception):
    """A request or a version that failed.

    Attributes:
        code: canonical status code.
        message: what went wrong, in TensorFlow Serving's words where it has some.
    """

    def __init__(self, code: grpc.StatusCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    @property
    def number(self) -> int:
        """The code as gRPC and TensorFlow number it."""
        return int(self.code.value[0])

    @property
    def http_status(self) -> int:
        """The code as an HTTP status."""
        return HTTP_STATUS.get(self.code, 500)


def without_frames(error: ServingError) -> ServingError:
    """The same error without the frames that it and its causes came through.

    An error that is kept in one of its own frames is a circle: whatever their variables hold, such
    as a message of 60 MB, stays until the garbage collector comes by.
    """
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)


def in_one_line(error: Exception) -> str:
    r"""What an error says, for logs, of which a reader may see the last lines alone.

    >>> in_one_line(ValueError("Graph execution error:\n\n\t [[node]]"))
    'Graph execution error: [[node]]'
    """
    return " ".join(str(error).split())


def invalid_argument(message: str) -> ServingError:
    """The client sent something that cannot be answered."""
    return ServingError(grpc.StatusCode.INVALID_ARGUMENT, message)


def from_number(number: int, message: str) -> ServingError:
    """The error of TensorFlow's status `number`.

    Where Python failed in a graph, TensorFlow appends lines of this server's files: no client's
    business.
    """
    said = _PYTHON_LINES.sub("", message)
    return ServingError(_BY_NUMBER.get(number, grpc.StatusCode.UNKNOWN), said)
