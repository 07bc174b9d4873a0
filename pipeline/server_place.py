"""Where `graft serve` answers."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where a server answers.

    Attributes:
        host: address to bind to.
        port: gRPC; 0 for any, which the embedded server alone can tell.
        rest_port: REST; likewise.
    """

    host: str
    port: int
    rest_port: int
