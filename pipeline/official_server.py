"""`graft serve`: in the official image where Docker can run it, else in the embedded server."""

import os
import sys

from pipeline.deployment.image import image, obstacle
from pipeline.served_model import Served

_PULL_SECONDS = 120.0


def docker_command(model: Served, host: str, port: int, rest_port: int) -> list[str]:
    """What runs the image in the foreground.

    Args:
        model: what to serve.
        host: address to bind to.
        port: gRPC.
        rest_port: REST.
    """
    mount = f"type=bind,source={model.directory},target=/models/{model.name},readonly"
    return [
        *["docker", "run", "--rm", "--init", "--read-only", "--tmpfs=/tmp", "--cap-drop=ALL"],
        *["--security-opt=no-new-privileges", f"--mount={mount}", f"--env=MODEL_NAME={model.name}"],
        *[f"--publish={host}:{port}:8500", f"--publish={host}:{rest_port}:8501", image()],
    ]


def serve(model: Served, host: str, port: int, rest_port: int, embedded: bool) -> int:
    """Serves until SIGTERM or SIGINT, and says first with what.

    Args:
        model: what to serve.
        host: address to bind to.
        port: gRPC; 0 for any, which the embedded server alone can tell.
        rest_port: REST; likewise.
        embedded: do not look for Docker.
    """
    reason = "as asked for" if embedded else "for a free port" if not (port and rest_port) else None
    if reason is None and (missing := obstacle(_PULL_SECONDS)) is not None:
        reason = f"as {missing}"
    if reason is None:
        where = f"http://{host}:{rest_port} (REST), {host}:{port} (gRPC)"
        print(f"Serving with {image()} in Docker at {where}.", file=sys.stderr, flush=True)
        # Docker takes this process's place: signals and the exit code are its own.
        os.execvp("docker", docker_command(model, host, port, rest_port))
    print(f"Serving with Graft's embedded server, {reason}.", file=sys.stderr, flush=True)
    from pipeline.serve_command import serve as serve_embedded

    return serve_embedded(model, host, port, rest_port)
