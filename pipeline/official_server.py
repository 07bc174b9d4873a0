"""`graft serve`: in the official image where Docker can run it, else in the embedded server."""

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from models.listening import host_and_port
from pipeline.deployment.image import image, obstacle
from pipeline.served_model import Served
from pipeline.server_place import Place

if TYPE_CHECKING:
    from serving.request_log.settings import RequestLogSettings

_PULL_SECONDS = 120.0


def left_by_gateway(model: Served, base_path: str, folder: Path) -> Path | None:
    """The versions and labels that a gateway of this workspace set, for a server that starts anew.

    Args:
        model: what to serve.
        base_path: where the server sees the versions.
        folder: of the gateway.

    Returns:
        A `--model_config_file`; None if there is none, or it is of a server that sees other paths.
    """
    file = folder / "models.config"
    words = (f'name: "{model.name}"', f'base_path: "{base_path}"')
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return None
    return file if all(word in text for word in words) else None


def docker_command(
    model: Served, host: str, port: int, rest_port: int, config_file: Path | None
) -> list[str]:
    """What runs the image in the foreground.

    Args:
        model: what to serve.
        host: address to bind to.
        port: gRPC.
        rest_port: REST.
        config_file: versions and labels, None for the newest version.
    """
    config = []
    if config_file is not None:
        config = [
            f"--mount=type=bind,source={config_file.absolute()},target=/models.config,readonly"
        ]
    mount = f"type=bind,source={model.directory},target=/models/{model.name},readonly"
    return [
        *["docker", "run", "--rm", "--init", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL"],
        *["--security-opt=no-new-privileges", f"--mount={mount}", f"--env=MODEL_NAME={model.name}"],
        *[f"--publish={host_and_port(host, port)}:8500"],
        *[f"--publish={host_and_port(host, rest_port)}:8501", *config, image()],
        *(["--model_config_file=/models.config"] if config else []),
    ]


def serve(
    model: Served,
    place: Place,
    embedded: bool,
    gateway: Path,
    log: "RequestLogSettings | None" = None,
) -> int:
    """Serves until SIGTERM or SIGINT, and says first with what.

    Args:
        model: what to serve.
        place: where to.
        embedded: do not look for Docker.
        gateway: folder of the workspace's gateway, which may have set versions and labels.
        log: what the embedded server logs of requests; None for nothing.
    """
    host, port, rest_port = place.host, place.port, place.rest_port
    reason = "as asked for" if embedded else "for a free port" if not (port and rest_port) else None
    if reason is None and (missing := obstacle(_PULL_SECONDS)) is not None:
        reason = f"as {missing}"
    if reason is None:
        rest, grpc = host_and_port(host, rest_port), host_and_port(host, port)
        where = f"http://{rest} (REST), {grpc} (gRPC)"
        unlogged = " It logs no requests; --embedded does." if log is not None else ""
        words = f"Serving with {image()} in Docker at {where}.{unlogged}"
        print(words, file=sys.stderr, flush=True)
        # Docker takes this process's place: signals and the exit code are its own.
        left = left_by_gateway(model, f"/models/{model.name}", gateway)
        os.execvp("docker", docker_command(model, host, port, rest_port, left))
    print(f"Serving with Graft's embedded server, {reason}.", file=sys.stderr, flush=True)
    from pipeline.serve_command import serve as serve_embedded

    left = left_by_gateway(model, str(model.directory), gateway)
    if left is not None:
        words = f"Versions and labels are as the gateway left them ({left})."
        print(words, file=sys.stderr, flush=True)
    if log is not None:
        print(f"Requests are logged in {log.folder}.", file=sys.stderr, flush=True)
    return serve_embedded(model, place, left, log)
