"""What is read of the requests that come in, and when."""

import asyncio
from typing import Any, cast

import grpc
import pytest

from serving.errors import ServingError
from serving.grpc_api.intake import Intake
from serving.limits import Limits

LARGE = bytes(60 * 2**20)


class Call:
    """As much of a `grpc.aio.ServicerContext` as is read of it; its message is there at once."""

    def __init__(self, sender: str, message: bytes) -> None:
        self._sender = sender
        self._message = message

    def peer(self) -> str:
        return self._sender

    async def read(self) -> bytes:
        return self._message


def test_large_messages_of_one_sender_wait_for_their_turns() -> None:
    """Handing one over takes the event loop: many at a time would leave it to nobody."""

    async def sizes(*calls: Call) -> list[int | BaseException]:
        found = await asyncio.gather(
            *(intake.request(cast(Any, call), len) for call in calls), return_exceptions=True
        )
        return [*found]

    async def ask() -> None:
        assert await sizes(Call("a", LARGE)) == [len(LARGE)]
        first, second, other = await sizes(Call("a", LARGE), Call("a", LARGE), Call("b", b"small"))
        assert (first, other) == (len(LARGE), 5)
        assert isinstance(second, ServingError)
        assert second.code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert second.message == "Large requests wait to be read. Try again later."

    intake = Intake(Limits(receive_seconds=0.1))
    try:
        asyncio.run(ask())
    finally:
        intake.close()


def test_a_message_that_does_not_come_is_an_error() -> None:
    class Silent(Call):
        async def read(self) -> bytes:
            return grpc.aio.EOF

    intake = Intake(Limits())

    async def ask() -> None:
        with pytest.raises(ServingError, match="did not come in time"):
            await intake.request(cast(Any, Silent("a", b"")), len)

    try:
        asyncio.run(ask())
    finally:
        intake.close()
