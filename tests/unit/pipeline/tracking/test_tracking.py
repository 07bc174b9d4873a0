"""Runs in MLflow: what is refused, and what never fails a run."""

import socket
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from models.errors import UsageError
from pipeline.config_file import load_config
from pipeline.report.artifacts import Artifacts
from pipeline.report.run_record import RunRecord
from pipeline.report.summary import summary
from pipeline.tracking.track import track


@pytest.mark.parametrize(
    "address", ["mlflow.example.com", "file:///srv/mlruns", "ftp://a", "$", "http://"]
)
def test_what_is_no_server_is_refused(address: str) -> None:
    with pytest.raises(UsageError, match=r"tracking\.mlflow: expected an http or https address"):
        load_config(None, {"tracking.mlflow": address})


def tracked(address: str, folder: Path) -> str:
    record = RunRecord("a-run", datetime(2026, 11, 29, tzinfo=timezone.utc), {})
    config = load_config(None, {"tracking.mlflow": address, "tracking.timeout_seconds": 5})
    return track(config, record, summary(record, Artifacts()), folder)


def test_a_server_that_is_not_there_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        said = tracked(address, tmp_path)
        assert said.startswith("The run was not added to MLflow")
        assert "does not answer" in said
        monkeypatch.setenv("OUR_MLFLOW", address)
        assert tracked("$OUR_MLFLOW", tmp_path) == said
    monkeypatch.delenv("OUR_MLFLOW")
    assert "$OUR_MLFLOW is empty" in tracked("$OUR_MLFLOW", tmp_path)


def test_an_address_and_a_token_that_are_none_end_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "address or its token cannot be used" in tracked("http://[::1", tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "gehe\u00ef\u2026m")
    assert "address or its token cannot be used" in tracked("http://127.0.0.1:1", tmp_path)


def test_a_server_that_leads_elsewhere_has_not_got_the_run(tmp_path: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(301)
            self.send_header("Location", "https://mlflow.example.com")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        said = tracked(f"http://127.0.0.1:{server.server_port}", tmp_path)
        server.shutdown()
    assert "it answered 301" in said
    assert "leads to another address: give that one in tracking.mlflow" in said
