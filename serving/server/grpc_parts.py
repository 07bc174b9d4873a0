"""Puts the gRPC server together from its settings."""

from models.listening import host_and_port
from serving.grpc_api.credentials import read_credentials
from serving.grpc_api.grpc_server import GrpcServer, Service
from serving.grpc_api.health import Health
from serving.grpc_api.model_service import ModelService
from serving.grpc_api.prediction_service import PredictionService
from serving.grpc_api.profiler_service import ProfilerService
from serving.inference.runner import Runner
from serving.observer.observer import Observer
from serving.servables.registry import Registry
from serving.server.settings import ServerSettings


def grpc_server(
    settings: ServerSettings,
    port: int | None,
    registry: Registry,
    runner: Runner,
    observer: Observer,
) -> GrpcServer:
    """Makes the server, not yet started; `port` None leaves the port out.

    Raises:
        UsageError: the TLS configuration is wrong.
    """
    asked, limits = settings.grpc, settings.limits
    ssl = asked.ssl_config_file
    services: list[Service] = [
        PredictionService(registry, runner, observer, limits.tensor_bytes, asked.tensor_content),
        ModelService(registry),
    ]
    if asked.profiler:
        services.append(ProfilerService())
    return GrpcServer(
        services,
        limits,
        address=None if port is None else host_and_port(settings.host, port),
        socket_path=asked.socket_path,
        credentials=None if ssl is None else read_credentials(ssl),
        channel_arguments=asked.channel_arguments,
        health=Health(registry.is_ready) if asked.health_service else None,
    )
