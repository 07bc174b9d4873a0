"""What a request may cost: bounds that keep one client from taking the server from the others."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of the embedded server; each is set by the flag of its name.

    Attributes:
        message_bytes: largest request of gRPC (`--grpc_max_message_bytes`).
        receive_seconds: how long a request of gRPC may take to come in
            (`--grpc_receive_seconds`).
        tensor_bytes: memory that the tensors of one request may take once they are unpacked
            (`--max_tensor_bytes`). A tensor of a few bytes may declare that its one value stands
            for millions.
        instances: most strings, such as encoded images, in one input (`--max_instances`). What a
            string costs does not show in its length, so that these are counted.
        concurrent_requests: requests that wait or run at a time (`--max_concurrent_requests`).
        waiting_bytes: what their tensors may take together (`--max_waiting_bytes`).
    """

    message_bytes: int = 64 * 2**20
    receive_seconds: float = 30.0
    tensor_bytes: int = 128 * 2**20
    instances: int = 1000
    concurrent_requests: int = 1000
    waiting_bytes: int = 512 * 2**20

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise ValueError(f"The limit {name} must be more than 0, and is {value}.")
