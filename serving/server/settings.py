"""What the embedded server serves, where, and how."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ServerSettings:
    """What to serve, and where.

    Attributes:
        model_name: name of the model in the API.
        model_base_path: directory of version directories.
        host: address to bind to; only this machine reaches the default.
        port: of gRPC; 0 takes a free port, None leaves gRPC out.
        rest_api_port: of REST; likewise.
        poll_seconds: time between two looks at the directory; 0 looks once.
    """

    model_name: str
    model_base_path: Path
    host: str = "127.0.0.1"
    port: int | None = 8500
    rest_api_port: int | None = 8501
    poll_seconds: float = 1.0
