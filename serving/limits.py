"""What a request may cost: bounds that keep one client from taking the server from the others."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bounds of the embedded server; each is set by the flag of its name.

    Attributes:
        message_bytes: largest request, and largest answer, of gRPC (`--grpc_max_message_bytes`).
        tensor_bytes: memory that the tensors of one request may take once they are unpacked
            (`--max_tensor_bytes`). A tensor of a few bytes may declare that its one value stands
            for millions.
        instances: most strings, such as encoded images, in one input (`--max_instances`). What a
            string costs does not show in its length, so that these are counted.
        concurrent_requests: requests that wait or run at a time (`--max_concurrent_requests`).
    """

    message_bytes: int = 64 * 2**20
    tensor_bytes: int = 256 * 2**20
    instances: int = 1000
    concurrent_requests: int = 1000

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value <= 0:
                raise ValueError(f"The limit {name} must be more than 0, and is {value}.")
