"""The main job through the command, as a user runs it, in a workspace of its own."""

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

GRAFT = [sys.executable, "-m", "pipeline.cli"]


def _graft(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*GRAFT, *arguments], check=False, capture_output=True, text=True, timeout=400
    )


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("main") / "work [1] {a}*?%s '#' é"


@pytest.fixture(scope="module")
def run_flags(workspace: Path, digits_folder: Path) -> list[str]:
    return [
        "run", "--json", "--data", str(digits_folder), "--workspace", str(workspace),
        "--image-size", "32", "--trials", "3", "--epochs", "2", "--strategy", "fine_tune",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def first_run(run_flags: list[str]) -> dict[str, Any]:
    done = _graft(*run_flags)
    assert done.returncode == 0, done.stderr
    summary: dict[str, Any] = json.loads(done.stdout)
    return summary


def test_the_summary_keeps_its_contract(first_run: dict[str, Any], digits_folder: Path) -> None:
    images = len(list(digits_folder.glob("*/*.png")))
    assert first_run["status"] == "pushed"
    assert first_run["reason"]
    assert first_run["data"]["images"] == images
    assert first_run["data"]["quarantined"] == 0
    assert first_run["data"]["fingerprint"]
    assert first_run["tuning"]["trials"] == 3
    assert first_run["tuning"]["best"]
    metrics = first_run["metrics"]
    assert 0.5 < metrics["accuracy"] <= 1.0
    assert 0.5 < metrics["validation_accuracy"] <= 1.0
    assert 0.5 < metrics["probe_accuracy"] <= 1.0
    assert len(metrics["per_class"]) == 10
    model = first_run["model"]
    assert model["backbone"] == "EfficientNetLite0"
    assert len(model["weights_digest"]) >= 16
    assert Path(model["pushed_to"], "saved_model.pb").is_file()
    assert int(model["version"]) == 1
    assert first_run["serving_check"]["rest"]["passed"]
    assert first_run["serving_check"]["grpc"]["passed"]
    assert all(stage["seconds"] >= 0 for stage in first_run["stages"].values())


def test_a_second_run_is_cached_throughout(
    first_run: dict[str, Any], run_flags: list[str], workspace: Path
) -> None:
    done = _graft(*run_flags)
    assert done.returncode == 0, done.stderr
    second = json.loads(done.stdout)
    assert [name for name, stage in second["stages"].items() if not stage["cached"]] == []
    assert second["metrics"] == first_run["metrics"]
    assert second["model"] == first_run["model"]
    assert [path.name for path in (workspace / "serving" / "graft").iterdir()] == ["1"]


def test_one_changed_value_reruns_only_what_depends_on_it(
    first_run: dict[str, Any], run_flags: list[str]
) -> None:
    done = _graft(*run_flags, "--set", "evaluation.min_accuracy=1.0",
                  "--set", "evaluation.min_class_recall=1.0")  # fmt: skip
    changed = json.loads(done.stdout)
    rerun = {name for name, stage in changed["stages"].items() if not stage["cached"]}
    assert rerun <= {"Evaluator", "Judge", "ServingCheck", "Pusher"}
    assert "Judge" in rerun
    if changed["metrics"]["accuracy"] < 1.0:
        assert (done.returncode, changed["status"]) == (4, "not_blessed")
        assert "accuracy" in changed["reason"]


def test_the_report_is_one_file_that_names_the_result(
    first_run: dict[str, Any], workspace: Path
) -> None:
    path = Path(_graft("report", "--workspace", str(workspace)).stdout.strip())
    page = path.read_text(encoding="utf-8")
    assert "EfficientNetLite0" in page
    assert 'src="http' not in page
    assert path.stat().st_size < 2_000_000


def test_runs_lists_what_ran(first_run: dict[str, Any], workspace: Path) -> None:
    listing = _graft("runs", "--workspace", str(workspace)).stdout
    assert "pushed" in listing


@pytest.fixture
def server(first_run: dict[str, Any], workspace: Path) -> Iterator[tuple[int, int]]:
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        grpc_port, rest_port = one.getsockname()[1], other.getsockname()[1]
    ports = ["--port", str(grpc_port), "--rest-port", str(rest_port)]
    process = subprocess.Popen([*GRAFT, "serve", "--workspace", str(workspace), *ports])
    try:
        _await_available(process, f"http://127.0.0.1:{rest_port}/v1/models/graft")
        yield grpc_port, rest_port
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0


def _await_available(process: subprocess.Popen[bytes], url: str) -> None:
    for _ in range(3000):
        assert process.poll() is None
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                if json.load(answer)["model_version_status"][0]["state"] == "AVAILABLE":
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise AssertionError("the model did not become available")


def test_the_pushed_model_answers_over_rest_and_grpc(
    server: tuple[int, int], workspace: Path, digits_folder: Path
) -> None:
    grpc_port, rest_port = server
    images = [str(sorted((digits_folder / digit).iterdir())[0]) for digit in ("0", "4", "6")]
    common = ["predict", "--json", "--workspace", str(workspace), *images]
    rest = _graft(*common, "--url", f"localhost:{rest_port}")
    grpc = _graft(*common, "--grpc", f"localhost:{grpc_port}")
    assert rest.returncode == 0, rest.stderr
    by_rest = [json.loads(line) for line in rest.stdout.splitlines()]
    by_grpc = [json.loads(line) for line in grpc.stdout.splitlines()]
    assert [answer["label"] for answer in by_rest] == [answer["label"] for answer in by_grpc]
    assert sum(answer["label"] == digit for answer, digit in zip(by_rest, "046", strict=True)) >= 2
    for one, other in zip(by_rest, by_grpc, strict=True):
        assert one["score"] == pytest.approx(other["score"], abs=1e-5)
