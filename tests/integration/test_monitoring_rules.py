"""Rules, alerts and dashboard against the real Prometheus."""

import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import yaml
from graft_command import await_that
from healths import harmful
from prometheus_stack import DEPLOY, RULES, ask_prometheus, needs_prometheus, pager, prometheus

from monitoring.metrics import HealthMetrics
from serving.errors import ServingError, invalid_argument
from serving.metrics import Metrics

CASES = DEPLOY / "graft-rules-test.yml"
pytestmark = needs_prometheus


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
    """The monitor's metrics, and those of a server that was asked again since the last scrape."""

    server_metrics: Metrics
    monitor_metrics: HealthMetrics

    def do_GET(self) -> None:
        content = self.monitor_metrics.text()
        if "monitoring" in self.path:
            with self.server_metrics.request("graft", "Predict", "REST"):
                pass
            content = self.server_metrics.page()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    """Address of the pages of a server and of a monitor that saw harm."""
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


def _in_vain(url: str) -> list[str]:
    """Panels of the dashboard whose query finds nothing."""
    board = json.loads((DEPLOY / "dashboard.json").read_text("utf-8"))
    return [
        panel["title"]
        for panel in board["panels"]
        for target in panel["targets"]
        if not ask_prometheus(url, target["expr"].replace("$model", "graft"))
    ]


def test_every_query_of_the_dashboard_finds_something_and_the_pager_is_called(
    pages: str, tmp_path: Path
) -> None:
    with pager() as (address, paged), prometheus(tmp_path, pages, pages, address) as url:
        deadline = time.monotonic() + 60
        while in_vain := _in_vain(url):
            assert time.monotonic() < deadline, in_vain
            time.sleep(0.5)
        await_that(lambda: len(paged) > 0, "somebody is paged")
        assert paged[0]["alertname"] == "GraftHarmfulDrift"
        assert (paged[0]["model"], paged[0]["path"]) == ("graft", "/page")
