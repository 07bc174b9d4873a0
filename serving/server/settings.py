"""What the embedded server serves, where, and how."""

from dataclasses import dataclass, field
from pathlib import Path

from serving.inference.batching_parameters import BatchingParameters
from serving.limits import Limits
from serving.request_log.settings import RequestLogSettings
from serving.rest_api.options import RestOptions
from serving.servables.parallelism import Parallelism


@dataclass(frozen=True)
class GrpcSettings:
    """How the gRPC API answers.

    Attributes:
        socket_path: Unix socket to answer on too.
        ssl_config_file: text of an `SSLConfig`; None for plain text.
        health_service: whether to answer health checks.
        profiler: whether clients on this machine may profile the server.
        channel_arguments: more settings of gRPC's own, by name.
        tensor_content: whether answers use `tensor_content` instead of the typed fields.
    """

    socket_path: Path | None = None
    ssl_config_file: Path | None = None
    health_service: bool = False
    tensor_content: bool = False
    profiler: bool = True
    channel_arguments: tuple[tuple[str, int | str], ...] = ()


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
        warm_ups: how often each warm-up request of a version runs before it is available.
        allow_labels_ahead: whether a new label may name a version that is not available yet.
        batching: how to join requests; None runs each by itself.
        parallelism: threads to compute with.
        limits: what requests may cost.
        grpc: how the gRPC API answers.
        rest: how the REST API answers.
        request_log: what is logged of requests; None for nothing.
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
    warm_ups: int = 1
    allow_labels_ahead: bool = False
    batching: BatchingParameters | None = None
    parallelism: Parallelism = field(default_factory=Parallelism)
    limits: Limits = field(default_factory=Limits)
    grpc: GrpcSettings = field(default_factory=GrpcSettings)
    rest: RestOptions = field(default_factory=RestOptions)
    request_log: RequestLogSettings | None = None
