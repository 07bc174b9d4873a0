"""Servers for tests, and plain requests to them."""

import http.client
import json
from pathlib import Path
from typing import Any

from serving.limits import Limits
from serving.server.model_server import ModelServer
from serving.server.settings import ServerSettings

SMALL_LIMITS = Limits(body_bytes=2**20, json_bytes=2**22, connections=20, instances=50)


def server_settings(base_path: Path) -> ServerSettings:
    return ServerSettings("m", base_path, port=0, rest_api_port=0, poll_seconds=0.05)


def rest_url(server: ModelServer) -> str:
    return f"http://127.0.0.1:{server.rest_port}"


def request_json(
    server: ModelServer, method: str, path: str, body: bytes | None = None, **headers: str
) -> tuple[int, Any]:
    assert server.rest_port is not None
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=30)
    connection.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
    response = connection.getresponse()
    assert response.headers["Content-Type"] == "application/json"
    content = response.read()
    connection.close()
    return response.status, json.loads(content) if content else None
