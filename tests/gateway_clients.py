"""What a test needs to start a gateway and to ask it."""

import http.client
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

needs_nginx = pytest.mark.skipif(
    not shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin"),
    reason="nginx is not installed (apt-get install nginx-light)",
)

IMAGE = json.dumps({"inputs": {"image_bytes": [{"b64": "AAAA"}]}}).encode()


@dataclass
class Reply:
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """Its JSON."""
        return json.loads(self.body)


def ask(
    port: int,
    path: str = "/v1/models/m:predict",
    body: bytes | None = IMAGE,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """One request on a connection of its own; GET if there is no body."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("POST" if body is not None else "GET", path, body, dict(headers or {}))
        response = connection.getresponse()
        return Reply(response.status, dict(response.headers), response.read())
    finally:
        connection.close()
