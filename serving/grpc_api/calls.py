"""What every method has in common: read the request, answer, or end with the status of an error."""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import grpc
from google.protobuf.message import DecodeError

from serving.errors import ServingError, invalid_argument, without_frames
from serving.grpc_api.intake import Intake
from serving.servables.model_messages import Message

_log = logging.getLogger(__name__)
Parsed = TypeVar("Parsed")
_LONGEST_MESSAGE: Final = 1500
"""Bytes of an error's words: all headers of an answer together must stay below 8 KB."""


def method(
    intake: Intake,
    parse: Callable[[bytes], Parsed],
    answer: Callable[[Parsed, grpc.aio.ServicerContext], Awaitable[Message]],
    refused: Callable[[grpc.StatusCode], None] = lambda _: None,
) -> grpc.RpcMethodHandler:
    """A method that takes one message and answers with one.

    Args:
        intake: reads the message.
        parse: makes a request of its bytes.
        answer: answers the request.
        refused: is told of a request that was not read.
    """

    async def read(context: grpc.aio.ServicerContext) -> Parsed:
        try:
            return await intake.request(context, parse)
        except ServingError as error:
            refused(error.code)
            raise

    async def attempt(context: grpc.aio.ServicerContext) -> bytes | ServingError:
        try:
            request = await read(context)
            return bytes((await answer(request, context)).SerializeToString())
        except ServingError as error:
            return without_frames(error)
        except grpc.aio.AbortError:
            raise
        except Exception as error:  # noqa: BLE001 (a defect must answer, not hang the client)
            _log.exception("A request failed")
            return ServingError(grpc.StatusCode.INTERNAL, str(error))

    async def call(_: object, context: grpc.aio.ServicerContext) -> bytes:
        # gRPC keeps the frame that aborts for a while: the request is in another one.
        answered = await attempt(context)
        if isinstance(answered, ServingError):
            await context.abort(answered.code, _short(answered.message))
            raise AssertionError("abort() does not return")
        return answered

    # To gRPC a stream of one message is the same as a message; only a stream lets the server say
    # when it reads.
    return grpc.stream_unary_rpc_method_handler(call)


def parser(message_class: Message) -> Callable[[bytes], Message]:
    """Parses messages of a class; what is none is the client's mistake."""

    def parse(content: bytes) -> Message:
        try:
            return message_class.FromString(content)
        except DecodeError as error:
            name = message_class.DESCRIPTOR.name
            raise invalid_argument(f"The request is no {name}.") from error

    return parse


def _short(message: str) -> str:
    return message.encode("utf-8", "replace")[:_LONGEST_MESSAGE].decode("utf-8", "ignore")
