"""Rules, alerts and dashboard against the real Prometheus."""

import json
import re
import shutil
import subprocess
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import yaml
from gateway_clients import free_port
from graft_command import await_that
from healths import harmful

from monitoring.metrics import HealthMetrics
from serving.errors import ServingError, invalid_argument
from serving.metrics import Metrics

DEPLOY = Path(__file__).parents[2] / "deploy" / "monitoring"
RULES, CASES = DEPLOY / "graft-rules.yml", DEPLOY / "graft-rules-test.yml"
pytestmark = pytest.mark.skipif(
    shutil.which("promtool") is None,
    reason="Prometheus is not installed (apt-get install prometheus prometheus-alertmanager)",
)


def _promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["promtool", *arguments], check=False, capture_output=True, text=True, timeout=60
    )


def test_the_rules_do_what_their_cases_say() -> None:
    done = _promtool("test", "rules", CASES)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_configurations_are_valid() -> None:
    assert _promtool("check", "config", DEPLOY / "prometheus.yml").returncode == 0
    amtool = ["amtool", "check-config", str(DEPLOY / "alertmanager.yml")]
    assert subprocess.run(amtool, check=False, capture_output=True, timeout=60).returncode == 0


@pytest.mark.parametrize("always", ["absent(vector(1))", "vector(1)"])
def test_alerts_that_never_or_always_fire_fail_their_cases(always: str, tmp_path: Path) -> None:
    rules = yaml.safe_load(RULES.read_text("utf-8"))
    alerts = [rule for group in rules["groups"] for rule in group["rules"] if "alert" in rule]
    for rule in alerts:
        rule["expr"] = always
    (tmp_path / RULES.name).write_text(yaml.safe_dump(rules))
    shutil.copy(CASES, tmp_path)
    done = _promtool("test", "rules", tmp_path / CASES.name)
    assert done.returncode == 1
    told = done.stdout + done.stderr
    assert [each["alert"] for each in alerts if f"alertname: {each['alert']}," not in told] == []


class _Pages(BaseHTTPRequestHandler):
    """Pages of a monitor and of a server that was asked again since the last scrape; a pager."""

    server_metrics: Metrics
    monitor_metrics: HealthMetrics
    paged: ClassVar[list[dict[str, Any]]] = []

    def do_GET(self) -> None:
        if "monitoring" in self.path:
            with self.server_metrics.request("graft", "Predict", "REST"):
                pass
            self._answer(self.server_metrics.page())
        else:
            self._answer(self.monitor_metrics.text())

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.paged.extend(alert["labels"] | {"path": self.path} for alert in content["alerts"])
        self._answer(b"")

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    """Address of the pages."""
    _Pages.server_metrics = Metrics()
    _Pages.server_metrics.runs("graft")
    with pytest.raises(ServingError), _Pages.server_metrics.request("graft", "Predict", "REST"):
        raise invalid_argument("nothing here")
    _Pages.monitor_metrics = HealthMetrics()
    _Pages.monitor_metrics.show(harmful())
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()


@contextmanager
def _running(*command: str) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


@pytest.fixture(scope="module")
def alertmanager(pages: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an Alertmanager with the configuration that is shipped, but quicker."""
    folder, address = tmp_path_factory.mktemp("alertmanager"), f"127.0.0.1:{free_port()}"
    text = (DEPLOY / "alertmanager.yml").read_text("utf-8")
    text = text.replace("127.0.0.1:9099", pages).replace("group_wait: 10s", "group_wait: 1s")
    (folder / "alertmanager.yml").write_text(text, "utf-8")
    with _running(
        "prometheus-alertmanager", f"--config.file={folder / 'alertmanager.yml'}",
        f"--storage.path={folder}", f"--web.listen-address={address}", "--cluster.listen-address=",
    ):  # fmt: skip
        yield address


@pytest.fixture(scope="module")
def prometheus(
    pages: str, alertmanager: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Address of a Prometheus with the configuration that is shipped, but quicker."""
    folder, address = tmp_path_factory.mktemp("prometheus"), f"127.0.0.1:{free_port()}"
    text = (DEPLOY / "prometheus.yml").read_text("utf-8").replace("15s", "1s")
    text = re.sub("127.0.0.1:(8501|9464)", pages, text).replace("127.0.0.1:9093", alertmanager)
    (folder / "prometheus.yml").write_text(text, "utf-8")
    quick = RULES.read_text("utf-8").replace("interval: 15s", "interval: 1s")
    (folder / RULES.name).write_text(quick, "utf-8")
    with _running(
        "prometheus", f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address={address}",
    ):  # fmt: skip
        yield f"http://{address}"


def _asked_in_vain(prometheus: str) -> list[str]:
    """Panels of the dashboard whose query finds nothing."""
    return [
        title
        for title, query in _panels()
        if not _ask(prometheus, query.replace("$model", "graft"))
    ]


def _ask(prometheus: str, query: str) -> list[Any]:
    url = f"{prometheus}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            found: list[Any] = json.load(answer)["data"]["result"]
            return found
    except OSError:  # not yet there
        time.sleep(0.2)
        return []


def _panels() -> list[tuple[str, str]]:
    board = json.loads((DEPLOY / "dashboard.json").read_text("utf-8"))
    return [
        (panel["title"], target["expr"]) for panel in board["panels"] for target in panel["targets"]
    ]


def test_every_query_of_the_dashboard_finds_something(prometheus: str) -> None:
    deadline = time.monotonic() + 60
    while in_vain := _asked_in_vain(prometheus):
        assert time.monotonic() < deadline, in_vain
        time.sleep(0.5)


def test_a_harmful_look_reaches_the_pager(prometheus: str) -> None:
    await_that(lambda: len(_Pages.paged) > 0, "somebody is paged")
    assert _Pages.paged[0]["alertname"] == "GraftHarmfulDrift"
    assert _Pages.paged[0]["model"] == "graft"
    assert _Pages.paged[0]["path"] == "/page"
