"""Kills a run with SIGKILL at a stage, and holds what is left to what a kill may leave."""

import contextlib
import os
import random
import signal
import time
from pathlib import Path

import ml_metadata as mlmd
from graft_command import await_that
from ml_metadata.proto import metadata_store_pb2
from ready_command import start
from tfx.orchestration import metadata

from pipeline.workspace import Workspace


def kill_at(
    stage: str, workspace: Workspace, command: tuple[str | Path, ...], moment: random.Random
) -> None:
    """Starts a run and kills it within half a second of the beginning of a stage."""
    known = len(workspace.run_folders())
    run = start(*command)

    def has_begun() -> bool:
        assert run.poll() is None, f"the run ended before {stage} began"
        logs = (folder / "log.txt" for folder in workspace.run_folders()[known:])
        words = f"stage {stage} started"
        return any(log.is_file() and words in log.read_text(errors="replace") for log in logs)

    try:
        await_that(has_begun, f"{stage} begins")
        time.sleep(moment.uniform(0.0, 0.5))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(run.pid, signal.SIGKILL)
        run.communicate()
    assert_served_versions_are_whole(workspace)


def assert_served_versions_are_whole(workspace: Workspace) -> None:
    for version in (workspace.root / "serving" / "graft").glob("[0-9]*"):
        assert (version / "saved_model.pb").is_file()
        assert (version / "variables" / "variables.index").is_file()
        assert (version / "assets.extra" / "graft.json").is_file()


def assert_nothing_is_left_of_a_kill(workspace: Workspace) -> None:
    """After the same command has ended well: no half version, execution or artifact."""
    assert_served_versions_are_whole(workspace)
    store = mlmd.MetadataStore(metadata.sqlite_metadata_connection_config(str(workspace.metadata)))
    state = metadata_store_pb2.Execution.State
    executions = {execution.id: execution.last_known_state for execution in store.get_executions()}
    assert set(executions.values()) <= {state.COMPLETE, state.CACHED, state.FAILED}
    whole = {key for key, value in executions.items() if value == state.COMPLETE}
    outputs = workspace.artifacts.glob("[!.]*/[!.]*/*")
    assert {int(path.name) for path in outputs} <= whole
