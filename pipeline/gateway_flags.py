"""Flags of the commands around the gateway."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from models.listening import bare_host
from pipeline.command_line import local_path, port

if TYPE_CHECKING:
    from serving.gateway.settings import GatewaySettings

_ALL = 100


def percent(text: str) -> int:
    """Reads a share such as `10%`: whole percents."""
    number = text.removesuffix("%")
    if number.isdecimal() and int(number) <= _ALL:
        return int(number)
    raise argparse.ArgumentTypeError(f"expected whole percents such as 10%, got {text!r}")


def add_gateway_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `graft gateway`."""
    parser.add_argument(
        "--host", type=bare_host, default="127.0.0.1", help="address to bind (default 127.0.0.1)"
    )
    parser.add_argument("--port", type=port, default=8080, help="page and REST (default 8080)")
    parser.add_argument("--grpc-port", type=port, help="gRPC; needs a second server for the canary")
    server = parser.add_argument_group("model servers (default: what `graft serve` starts)")
    server.add_argument("--server", default="127.0.0.1:8501", help="REST address")
    server.add_argument("--server-grpc", default="127.0.0.1:8500", help="gRPC address")
    server.add_argument("--canary-server", help="REST address of a second one, for the canary")
    server.add_argument("--canary-server-grpc", help="its gRPC address")
    server.add_argument(
        "--base-path", help="of the model's versions, as the servers see it (default: as here)"
    )
    server.add_argument(
        "--log-requests",
        action="store_true",
        help="log requests here, where the server does not: the official one does not, that of "
        "`graft serve --embedded` does",
    )
    guard = parser.add_argument_group("who may ask")
    guard.add_argument(
        "--keys", type=local_path, metavar="FILE", help="API keys, a line NAME KEY each"
    )
    guard.add_argument("--tls-certificate", type=local_path, metavar="FILE", help="PEM")
    guard.add_argument("--tls-key", type=local_path, metavar="FILE", help="PEM")
    guard.add_argument("--body-mib", type=int, default=64, help="largest body (default 64 MiB)")
    guard.add_argument("--rate", type=int, default=500, help="requests a second of one client")
    guard.add_argument("--connections", type=int, default=256, help="of one address")


def add_rollout_flags(parser: argparse.ArgumentParser) -> None:
    """The flags of `graft rollout`."""
    parser.add_argument(
        "--canary",
        type=percent,
        default=10,
        metavar="PERCENT",
        help="of the requests that the new version answers (default 10%%); 0%% for copies alone",
    )
    parser.add_argument(
        "--copies",
        type=percent,
        default=10,
        metavar="PERCENT",
        help="of the predictions that both versions get a copy of (default 10%%)",
    )
    parser.add_argument("--version", type=int, help="to roll out (default: the newest)")


def gateway_settings(
    options: argparse.Namespace, model_name: str, health_page: Path
) -> "GatewaySettings":
    """What the flags of `graft gateway` ask for.

    Args:
        options: the flags.
        model_name: in the serving API.
        health_page: that the monitor writes.

    Raises:
        UsageError: they do not fit together.
    """
    from serving.gateway.settings import GatewaySettings, Server

    stable = Server(options.server, options.server_grpc)
    canary = stable
    if options.canary_server or options.canary_server_grpc:
        canary = Server(options.canary_server or "", options.canary_server_grpc or "")
    return GatewaySettings(
        model_name=model_name,
        stable=stable,
        canary=canary,
        host=options.host,
        port=options.port,
        grpc_port=options.grpc_port,
        certificate=options.tls_certificate,
        certificate_key=options.tls_key,
        keys=options.keys,
        body_mib=options.body_mib,
        requests_per_second=options.rate,
        connections=options.connections,
        health_page=health_page,
    )
