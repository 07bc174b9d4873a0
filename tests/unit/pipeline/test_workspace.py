"""Names of runs."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from pipeline.workspace import Workspace

NOW = datetime(2026, 10, 25, 2, 30, 0, 123456).astimezone()


def test_a_run_is_named_by_its_local_time(tmp_path: Path) -> None:
    assert Workspace(tmp_path).new_run_name(NOW) == "20261025-023000-123"


@pytest.mark.parametrize("back", [timedelta(0), timedelta(hours=1), timedelta(days=9000)])
def test_runs_are_in_order_though_the_clock_is_set_back(tmp_path: Path, back: timedelta) -> None:
    workspace = Workspace(tmp_path)
    names = []
    for late in range(3):
        names.append(workspace.new_run_name(NOW - late * back))
        (workspace.runs / names[-1]).mkdir(parents=True)
    assert names == sorted(set(names))
    assert [folder.name for folder in workspace.run_folders()] == names
    later = NOW + timedelta(days=1)
    assert workspace.new_run_name(later) == "20261026-023000-123"


def test_what_else_lies_beside_the_runs_is_no_run(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    for name in ("z", "20991131-000000-000", "20991130-000000-0", "lost+found"):
        (workspace.runs / name).mkdir(parents=True)
    assert workspace.new_run_name(NOW.astimezone(timezone.utc)) == "20261025-023000-123"
