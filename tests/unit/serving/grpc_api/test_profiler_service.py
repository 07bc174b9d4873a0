"""Who may have the server write a profile, and where to."""

import asyncio
import os
from collections.abc import Iterator

import grpc
import pytest

from serving.grpc_api.grpc_server import GrpcServer
from serving.grpc_api.profiler_service import SERVICE, ProfilerService
from serving.limits import Limits

REQUEST = b"\x08\xf4\x03\x2a\x07/folder"  # duration_ms: 500, repository_root: "/folder"


@pytest.fixture
def profiled() -> list[tuple[str, float]]:
    return []


@pytest.fixture
def service(profiled: list[tuple[str, float]]) -> ProfilerService:
    return ProfilerService(lambda folder, seconds: profiled.append((folder, seconds)))


@pytest.fixture
def profile(service: ProfilerService) -> Iterator[grpc.UnaryUnaryMultiCallable]:
    address = f"unix-abstract:graft-profiler-{os.getpid()}"
    server = GrpcServer([service], Limits(), address=address)
    server.start()
    with grpc.insecure_channel(address) as channel:
        yield channel.unary_unary(f"/{SERVICE}/Profile")
    server.stop(0)


class _FromElsewhere:
    def peer(self) -> str:
        return "ipv4:10.0.0.1:4000"


def test_a_client_of_this_machine_is_served(
    profile: grpc.UnaryUnaryMultiCallable, profiled: list[tuple[str, float]]
) -> None:
    assert profile(REQUEST, timeout=60) == b""
    assert profiled == [("/folder", 0.5)]


@pytest.mark.parametrize("request_bytes", [b"", b"\x08\xf4\x03", b"\x2a\x07/fold"])
def test_what_is_no_request_is_refused(
    profile: grpc.UnaryUnaryMultiCallable,
    profiled: list[tuple[str, float]],
    request_bytes: bytes,
) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        profile(request_bytes, timeout=60)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert profiled == []


def test_a_client_from_elsewhere_is_refused(
    service: ProfilerService, profiled: list[tuple[str, float]]
) -> None:
    with pytest.raises(Exception, match="own machine"):
        asyncio.run(service._profile(None, _FromElsewhere()))  # type: ignore[arg-type]
    assert profiled == []
