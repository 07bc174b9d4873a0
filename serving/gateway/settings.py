"""What the gateway listens on, what stands behind it, and what it allows."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from models.errors import UsageError

STABLE: Final = "stable"
CANARY: Final = "canary"
LABELS: Final = (STABLE, CANARY)
_HIGHEST_PORT: Final = 65_535
_MOST: Final = {
    "port": _HIGHEST_PORT,
    "grpc_port": _HIGHEST_PORT,
    "body_mib": 100_000,
    "requests_per_second": 1_000_000,
    "connections": 65_535,
}
"""What nginx takes; 0 would mean no limit to it, or nothing."""
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_ADDRESS: Final = re.compile(r"(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:]+\]):[0-9]{1,5}")


@dataclass(frozen=True)
class Server:
    """A model server.

    Attributes:
        rest: address of its REST API, such as `127.0.0.1:8501`.
        grpc: address of its gRPC API, such as `127.0.0.1:8500`.
    """

    rest: str
    grpc: str

    def __post_init__(self) -> None:
        for address in (self.rest, self.grpc):
            if not _ADDRESS.fullmatch(address):
                raise UsageError(f"Expected the address of a server, HOST:PORT; got {address!r}.")


@dataclass(frozen=True)
class GatewaySettings:
    """A gateway for one model.

    Attributes:
        model_name: in the serving API.
        stable: server that answers by default.
        canary: server of the canary; the same one where it has both labels.
        host: address to listen on; only this machine reaches the default.
        port: of the page and of REST.
        grpc_port: of gRPC, None for none.
        certificate: PEM file of the certificate chain, None for no TLS.
        certificate_key: PEM file of its key.
        keys: file of API keys (`serving/gateway/api_keys.py`), None to let everybody in.
        body_mib: largest body of a request, MiB.
        header_seconds: to send the headers in.
        answer_seconds: for a server to answer.
        requests_per_second: of one client.
        connections: of one address.
        health_page: HTML file that is shown at /monitoring, whether it is there yet or not; None
            for none.
    """

    model_name: str
    stable: Server
    canary: Server
    host: str = "127.0.0.1"
    port: int = 8080
    grpc_port: int | None = None
    certificate: Path | None = None
    certificate_key: Path | None = None
    keys: Path | None = None
    body_mib: int = 64
    header_seconds: int = 10
    answer_seconds: int = 60
    requests_per_second: int = 500
    connections: int = 256
    health_page: Path | None = None

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.model_name):
            raise UsageError(
                "The gateway needs a model name of letters, digits, '.', '_' and '-' (at most 128);"
                f" got {self.model_name!r}. `serving.model_name` sets it."
            )
        for name, most in _MOST.items():
            if (value := getattr(self, name)) is not None and not 1 <= value <= most:
                raise UsageError(f"The gateway's {name} is {value}, expected 1 to {most}.")
        if (self.certificate is None) != (self.certificate_key is None):
            raise UsageError("TLS needs both files, that of the certificate and that of its key.")
        if self.grpc_port is not None and self.stable == self.canary:
            raise UsageError(
                "gRPC through the gateway needs two servers, one of them for the canary: a gRPC "
                "request names the version in its body, where no gateway looks. Name the second "
                "one, or leave gRPC out."
            )


@dataclass(frozen=True)
class Traffic:
    """Who gets how much, for the time being.

    Attributes:
        share: of the requests that the canary answers, whole percents.
        copies: of the predictions that are copied for a comparison, whole percents.
        trial: the requests are logged as evidence too.
    """

    share: int = 0
    copies: int = 0
    trial: bool = False

    def __post_init__(self) -> None:
        for name in ("share", "copies"):
            value = getattr(self, name)
            if not 0 <= value <= 100:
                raise UsageError(f"Expected a {name} of 0 % to 100 %; got {value} %.")
