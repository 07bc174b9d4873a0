"""What the embedded server serves, where, and how."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class ServerSettings:
    """What to serve, and where.

    Attributes:
        model_name: name of the model in the API, if there is no `model_config_file`.
        model_base_path: its directory of version directories, likewise.
        host: address to bind to; only this machine reaches the default.
        port: of gRPC; 0 takes a free port, None leaves gRPC out.
        rest_api_port: of REST; likewise.
        poll_seconds: time between two looks for versions; 0 looks once, less never.
        model_config_file: text of a `ModelServerConfig` with the models to serve.
        config_poll_seconds: time between two looks at that file; 0 looks once.
        load_retries: how often a version that does not load is tried again.
        load_retry_seconds: time before it is.
        warm_up: whether a version answers its warm-up requests before it is available.
        allow_labels_ahead: whether a new label may name a version that is not available yet.
        monitoring_config_file: text of a `MonitoringConfig`; None leaves the metrics page out.
    """

    model_name: str
    model_base_path: Path | None
    host: str = "127.0.0.1"
    port: int | None = 8500
    rest_api_port: int | None = 8501
    poll_seconds: float = 1.0
    model_config_file: Path | None = None
    config_poll_seconds: float = 0.0
    load_retries: int = 0
    load_retry_seconds: float = 60.0
    warm_up: bool = True
    allow_labels_ahead: bool = False
    monitoring_config_file: Path | None = None
