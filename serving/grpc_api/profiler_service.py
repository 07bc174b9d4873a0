"""`tensorflow.ProfilerService`: TensorBoard's «capture profile», for clients on this machine.

The client names a folder that the server writes into, as with the official server; nobody from
elsewhere may do that.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import grpc
import tensorflow as tf
from google.protobuf import empty_pb2
from google.protobuf.unknown_fields import UnknownFieldSet

from serving.errors import ServingError, from_number, invalid_argument
from serving.grpc_api.calls import method, parser
from serving.grpc_api.intake import Intake
from serving.servables.model_messages import Message

SERVICE: Final = "tensorflow.ProfilerService"
_DURATION, _FOLDER = 1, 5
_LONGEST_SECONDS: Final = 60.0
_OF_THIS_MACHINE: Final = ("ipv4:127.", "ipv6:[::1]", "ipv6:%5B::1%5D", "unix:", "unix-abstract:")


@dataclass(frozen=True)
class _ProfileRequest:
    seconds: float
    folder: str


class ProfilerService:
    """Profile; what else the service has is left out."""

    def __init__(self, profile: Callable[[str, float], None] | None = None) -> None:
        """Prepares to profile; `profile` takes folder and seconds, TensorFlow's if left out."""
        self._profile_into = profile or _profile

    def handler(self, intake: Intake) -> grpc.GenericRpcHandler:
        """The service, for a server that takes requests in through `intake`."""
        handlers = {"Profile": method(intake, _parse, self._profile)}
        return grpc.method_handlers_generic_handler(SERVICE, handlers)

    async def _profile(
        self, request: _ProfileRequest, context: grpc.aio.ServicerContext
    ) -> Message:
        if not context.peer().startswith(_OF_THIS_MACHINE):
            message = "Only clients on the server's own machine may profile it."
            raise ServingError(grpc.StatusCode.PERMISSION_DENIED, message)
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._profile_into, request.folder, request.seconds)
        # The message is not part of any Python package; an empty one says that there is a trace.
        return empty_pb2.Empty()


def _parse(content: bytes) -> _ProfileRequest:
    """Reads the two fields that matter of a `ProfileRequest`, of which Python has no class."""
    fields = UnknownFieldSet(parser(empty_pb2.Empty)(content))
    values = {field.field_number: field.data for field in fields}
    folder, milliseconds = values.get(_FOLDER, b""), values.get(_DURATION, 0)
    if not isinstance(folder, bytes) or not folder or not isinstance(milliseconds, int):
        raise invalid_argument("A ProfileRequest must have a repository_root and a duration_ms.")
    return _ProfileRequest(min(milliseconds / 1000, _LONGEST_SECONDS), folder.decode("utf-8"))


def _profile(folder: str, seconds: float) -> None:
    try:
        tf.profiler.experimental.start(folder)
        time.sleep(seconds)
        tf.profiler.experimental.stop()
    except tf.errors.OpError as error:
        raise from_number(error.error_code, error.message) from error
