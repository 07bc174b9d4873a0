"""Real Prometheus and Alertmanager with the files that are shipped, only quicker; and a pager."""

import json
import re
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from free_ports import free_port

DEPLOY = Path(__file__).parents[1] / "deploy" / "monitoring"
RULES = DEPLOY / "graft-rules.yml"
needs_prometheus = pytest.mark.skipif(
    not all(map(shutil.which, ("promtool", "prometheus", "prometheus-alertmanager", "amtool"))),
    reason="Prometheus is not installed (apt-get install prometheus prometheus-alertmanager)",
)


@contextmanager
def pager() -> Iterator[tuple[str, list[dict[str, str]]]]:
    """Address of a webhook, and the labels of each alert that it was sent, with the path."""
    paged: list[dict[str, str]] = []

    class Webhook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            paged.extend(alert["labels"] | {"path": self.path} for alert in content["alerts"])
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}", paged
    server.shutdown()


@contextmanager
def prometheus(folder: Path, server: str, monitor: str, pager: str) -> Iterator[str]:
    """Runs both; gives the URL of Prometheus.

    Args:
        folder: for their files, empty.
        server: address of the model server's metrics.
        monitor: address of the monitor's.
        pager: address that is paged.
    """
    manager, address = f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
    texts = {
        "alertmanager.yml": [("127.0.0.1:9099", pager), ("group_wait: 10s", "group_wait: 1s")],
        RULES.name: [("interval: 15s", "interval: 1s")],
        "prometheus.yml": [
            ("15s", "1s"),
            ("127.0.0.1:8501", server),
            ("127.0.0.1:9464", monitor),
            ("127.0.0.1:9093", manager),
        ],
    }
    for name, changes in texts.items():
        text = (DEPLOY / name).read_text("utf-8")
        for old, new in changes:
            assert old in text, (name, old)
            text = re.sub(re.escape(old), new, text)
        (folder / name).write_text(text, "utf-8")
    with ExitStack() as stack:
        stack.enter_context(
            _running(
                "prometheus-alertmanager", f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alerts'}", f"--web.listen-address={manager}",
                "--cluster.listen-address=",
            )
        )  # fmt: skip
        stack.enter_context(
            _running(
                "prometheus", f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={address}",
            )
        )  # fmt: skip
        yield f"http://{address}"


@contextmanager
def _running(*command: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def ask_prometheus(url: str, query: str) -> list[Any]:
    """What a query finds now."""
    whole = f"{url}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(whole, timeout=10) as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
            return found
    except OSError:  # not yet there
        time.sleep(0.2)
        return []
