"""A run that ends by the clock, through the command."""

import json
from pathlib import Path

from graft_command import Here


def test_a_run_out_of_time_says_so_keeps_its_report_and_lets_go(
    here: Here, digits_folder: Path, tmp_path: Path
) -> None:
    run = ("run", "--workspace", tmp_path / "workspace", "--data", digits_folder)
    answer = here(*run, "--json", "--set", "limits.minutes=0.005")
    assert answer.code == 6, answer.err
    told = json.loads(answer.out)
    assert told["status"] == "out_of_time"
    assert "The 0.005 minutes of limits.minutes were over" in told["reason"]
    (folder,) = (tmp_path / "workspace" / "runs").iterdir()
    assert "Out of time" in (folder / "report.html").read_text("utf-8")
    listed = here("runs", "--workspace", tmp_path / "workspace")
    assert "out_of_time" in listed.out
    # Nobody holds the workspace any more, and a run that was broken off is needed again.
    assert here(*run, "--set", "limits.minutes=0.005", "--if-needed").code == 6


def test_no_time_at_all_is_bad_usage(here: Here, digits_folder: Path) -> None:
    answer = here("run", "--data", digits_folder, "--set", "limits.minutes=0")
    assert answer.code == 2
    assert "limits.minutes: expected greater than 0" in answer.err
