"""Kills a run with SIGKILL at its stages; the same command must then finish the work."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import ml_metadata as mlmd
import pytest
from ml_metadata.proto import metadata_store_pb2
from tfx.orchestration import metadata

from pipeline.terminal.stage_titles import TITLES
from pipeline.workspace import Workspace

_LIMIT_SECONDS = 180.0


def _start(command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )


def _await_stage(workspace: Workspace, run: subprocess.Popen[str], known: int, stage: str) -> None:
    begin = time.monotonic()
    while time.monotonic() - begin < _LIMIT_SECONDS:
        assert run.poll() is None, f"the run ended before {stage} began"
        for folder in workspace.run_folders()[known:]:
            log = folder / "log.txt"
            if log.is_file() and f"stage {stage} started" in log.read_text(errors="replace"):
                return
        time.sleep(0.02)
    raise AssertionError(f"{stage} did not begin within {_LIMIT_SECONDS} s")


def _assert_nothing_half_done(workspace: Workspace) -> None:
    serving = workspace.root / "serving" / "graft"
    for version in serving.glob("[0-9]*"):
        assert (version / "saved_model.pb").is_file()
        assert (version / "variables" / "variables.index").is_file()
        assert (version / "assets.extra" / "graft.json").is_file()


@pytest.mark.parametrize(
    "stages",
    [("Trainer", "Pusher"), pytest.param(tuple(TITLES), marks=pytest.mark.slow)],
    ids=["two stages", "every stage"],
)
def test_kill_at_stages_then_finish(
    stages: tuple[str, ...], digits_folder: Path, tmp_path: Path
) -> None:
    workspace = Workspace(tmp_path / "workspace")
    command = [
        sys.executable, "-m", "pipeline.cli", "run", "--json", "--data", str(digits_folder),
        "--workspace", str(workspace.root), "--image-size", "32", "--trials", "3",
        "--strategy", "fine_tune", "--epochs", "2", "--set", "evaluation.min_accuracy=0.1",
        "--set", "tuning.epochs=5", "--set", "evaluation.max_drop_below_probe=1.0",
        "--set", "model.candidates=[{image_size: 32}, {image_size: 48}]",
        "--set", "tuning.fine_tune_trials=2",
    ]  # fmt: skip
    moment = random.Random(0)
    for stage in stages:
        known = len(workspace.run_folders())
        run = _start(command)
        _await_stage(workspace, run, known, stage)
        time.sleep(moment.uniform(0.0, 0.5))
        os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
        _assert_nothing_half_done(workspace)

    done = subprocess.run(
        command, check=False, capture_output=True, text=True, timeout=_LIMIT_SECONDS
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["status"] == "pushed"
    assert summary["stages"]["Trainer"]["cached"]
    assert [path.name for path in (workspace.root / "serving" / "graft").iterdir()] == ["1"]
    _assert_nothing_half_done(workspace)

    store = mlmd.MetadataStore(metadata.sqlite_metadata_connection_config(str(workspace.metadata)))
    state = metadata_store_pb2.Execution.State
    executions = {execution.id: execution.last_known_state for execution in store.get_executions()}
    assert set(executions.values()) <= {state.COMPLETE, state.CACHED, state.FAILED}
    whole = {key for key, value in executions.items() if value == state.COMPLETE}
    outputs = workspace.artifacts.glob("[!.]*/[!.]*/*")
    assert {int(path.name) for path in outputs} <= whole
