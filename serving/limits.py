"""What a request may cost: bounds that keep one client from taking the server from the others."""

from dataclasses import Field, dataclass, field, fields
from typing import Any

FLAG = "flag"
"""Key of a field's metadata that names its flag."""


def _limit(default: float, flag: str) -> Any:
    return field(default=default, metadata={FLAG: flag})


@dataclass(frozen=True)
class Limits:
    """Bounds of the embedded server; each is set by the flag that stands at its field.

    Attributes:
        message_bytes: largest request of gRPC.
        receive_seconds: how long a request of gRPC may take to come in.
        tensor_bytes: memory that the tensors of one request may take once they are unpacked. A
            tensor of a few bytes may declare that its one value stands for millions.
        instances: most strings, such as encoded images, in one input. What a string costs does not
            show in its length, so that these are counted.
        concurrent_requests: requests that wait or run at a time.
        waiting_bytes: what their tensors may take together.
        body_bytes: largest body of REST, as it is sent and once it is inflated.
        json_bytes: memory that the JSON of one body may take once it is parsed. Two characters of
            JSON can become an object of 64 bytes.
        connections: open connections of REST.
        header_seconds: time in which the headers of a REST request must arrive.
        body_seconds: time in which its body must arrive, and a second more for each MiB of it.
    """

    message_bytes: int = _limit(64 * 2**20, "grpc_max_message_bytes")
    receive_seconds: float = _limit(30.0, "grpc_receive_seconds")
    tensor_bytes: int = _limit(128 * 2**20, "max_tensor_bytes")
    instances: int = _limit(1000, "max_instances")
    concurrent_requests: int = _limit(1000, "max_concurrent_requests")
    waiting_bytes: int = _limit(256 * 2**20, "max_waiting_bytes")
    body_bytes: int = _limit(64 * 2**20, "rest_api_max_body_bytes")
    json_bytes: int = _limit(128 * 2**20, "rest_api_max_json_bytes")
    connections: int = _limit(1000, "rest_api_max_connections")
    header_seconds: float = _limit(10.0, "rest_api_header_seconds")
    body_seconds: float = _limit(20.0, "rest_api_body_seconds")

    def __post_init__(self) -> None:
        for limit in fields(self):
            value = getattr(self, limit.name)
            if value <= 0:
                name = flag_of(limit)
                raise ValueError(f"The limit {name} must be more than 0, and is {value}.")


def flag_of(limit: "Field[Any]") -> str:
    """The flag that sets a limit, without its dashes."""
    return str(limit.metadata[FLAG])
