"""A run in a real MLflow server, which lives in an environment of its own."""

import json
import os
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from finished_run import FinishedRun
from free_ports import free_port
from graft_command import await_that

from pipeline.config_file import load_config
from pipeline.tracking.mlflow_server import MlflowServer, TrackingError
from pipeline.tracking.track import track

MLFLOW = shutil.which("mlflow")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        MLFLOW is None, reason="no `mlflow` on PATH, from an environment of its own"
    ),
]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mlflow")
    port = free_port()
    store = f"sqlite:///{folder / 'mlflow.db'}"
    command = [
        *(MLFLOW or "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)),
        *("--backend-store-uri", store, "--artifacts-destination", str(folder / "files")),
        *("--workers", "1"),
    ]
    outside = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=outside, stdout=log, stderr=log, start_new_session=True
        )
    try:
        await_that(lambda: answers(f"http://127.0.0.1:{port}/health"), "the server answers")
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, 15)
        process.wait()


def answers(url: str) -> bool:
    try:
        return bool(urllib.request.urlopen(url, timeout=5).status == 200)
    except OSError:
        return False


def asked(address: str, path: str, body: Any = None) -> Any:
    """What the server says by its own API."""
    request = urllib.request.Request(
        f"{address}/api/2.0/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    return json.load(urllib.request.urlopen(request, timeout=60))


def pairs(listed: list[dict[str, Any]]) -> dict[str, Any]:
    return {each["key"]: each["value"] for each in listed}


def test_a_run_its_epochs_its_trials_and_its_report_are_there(address: str, tmp_path: Path) -> None:
    finished = FinishedRun(tmp_path / "run")
    told = finished.summary()
    told["stages"]["Tuner"] = {"seconds": 1.0, "cached": False}
    keys = {"tracking.mlflow": address, "tracking.experiment": "a b/ü", "training.epochs": 7}
    config = load_config(None, keys | {"notifications.webhook": "https://secret.example/hook"})
    for _ in range(2):
        assert track(config, finished.record, told, tmp_path / "run" / "out") == ""

    name = urllib.parse.quote("a b/ü", safe="")
    found = asked(address, f"mlflow/experiments/get-by-name?experiment_name={name}")
    query = {"experiment_ids": [found["experiment"]["experiment_id"]], "max_results": 1000}
    runs = asked(address, "mlflow/runs/search", query)["runs"]
    assert {run["info"]["status"] for run in runs} == {"FINISHED"}
    first, *_ = whole = [run for run in runs if run["info"]["run_name"] == told["run_id"]]
    assert len(whole) == 2
    parameters = pairs(first["data"]["params"])
    assert parameters["training.epochs"] == "7"
    assert "secret.example" not in json.dumps(runs)
    metrics = pairs(first["data"]["metrics"])
    assert metrics["accuracy"] == pytest.approx(told["metrics"]["accuracy"])
    assert metrics["state/accuracy"] == 0.9
    assert metrics["state/validation_accuracy"] == 0.9
    tags = pairs(first["data"]["tags"])
    assert tags["graft.pushed_to"] == "/srv/graft/3"
    assert tags["graft.published_to"] == "s3://bucket/graft/3"
    assert tags["mlflow.note.content"] == told["reason"]

    of = f"run_id={first['info']['run_id']}"
    trained = json.loads((tmp_path / "run" / "model" / "training.json").read_text())["history"]
    steps = asked(address, f"mlflow/metrics/get-history?{of}&metric_key=epoch.val_loss")["metrics"]
    assert [each["value"] for each in steps] == pytest.approx(trained["val_loss"])
    files = asked(address, f"mlflow/artifacts/list?{of}")["files"]
    assert {each["path"] for each in files} == {"report.html", "summary.json"}

    trials = [
        run
        for run in runs
        if pairs(run["data"]["tags"]).get("mlflow.parentRunId") == first["info"]["run_id"]
    ]
    assert len(trials) == told["tuning"]["configurations"]
    scores = {pairs(run["data"]["metrics"])["score"] for run in trials}
    assert max(scores) == pytest.approx(told["tuning"]["best"]["score"])


def test_what_was_added_in_part_is_ended_by_the_next_run(address: str, tmp_path: Path) -> None:
    finished = FinishedRun(tmp_path / "run")
    config = load_config(None, {"tracking.mlflow": address, "tracking.experiment": "cut off"})
    out = tmp_path / "run" / "out"
    ours = {"mlflow.source.name": "graft", "graft.workspace": str(config.workspace_path)}
    name = finished.record.run_id
    with closing(MlflowServer(address, 60.0)) as server:
        experiment = server.experiment("cut off")
        server.begin(experiment, name, 1, ours)
        server.begin(experiment, "another", 1, {**ours, "graft.workspace": "/another"})
    assert track(config, finished.record, finished.summary(), out) == ""
    query = {"experiment_ids": [experiment], "max_results": 1000}
    runs = [run["info"] for run in asked(address, "mlflow/runs/search", query)["runs"]]
    states = [(run["run_name"], run["status"]) for run in runs]
    assert sorted(each for each in states if not each[0].startswith("trial")) == [
        (name, "FINISHED"),
        (name, "KILLED"),
        ("another", "RUNNING"),
    ]


def test_what_the_server_refuses_is_told(address: str) -> None:
    server = MlflowServer(address, 60.0)
    try:
        with pytest.raises(TrackingError, match="answered 404"):
            server.end("no-such-run", 0, "FINISHED")
        with pytest.raises(TrackingError, match="--serve-artifacts"):
            server.store("s3://bucket/1", Path(__file__))
    finally:
        server.close()
