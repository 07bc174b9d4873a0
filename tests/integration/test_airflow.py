"""The file of DAGs in a real Airflow 3, which lives in an environment of its own."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.config_file import load_config
from pipeline.scheduling.recurrence import parse_every
from pipeline.scheduling.schedule_files import ScheduledRun, write_schedule

AIRFLOW = shutil.which("airflow")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        AIRFLOW is None, reason="no `airflow` on PATH, from an environment of its own"
    ),
]
Airflow = Callable[..., str]


@pytest.fixture
def airflow(tmp_path: Path) -> Airflow:
    """Runs a command of Airflow with a database and a folder of DAGs of its own."""
    home = tmp_path / "airflow"
    (home / "dags").mkdir(parents=True)
    outside = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    environment = outside | {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    }

    def run(*arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [AIRFLOW or "airflow", *arguments],
            env=environment,
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    run("db", "migrate")
    return run


@pytest.fixture
def configured(tmp_path: Path, airflow: Airflow) -> Airflow:
    """Airflow with the DAGs of a configuration, whose data has one day without an image."""
    day = tmp_path / "photos" / "2026-11-21" / "cats"
    day.mkdir(parents=True)
    (day / "a.png").write_text("no image")
    file = tmp_path / "graft.yaml"
    folder, data = tmp_path / "work", tmp_path / "photos" / "{DATE}"
    file.write_text(f"workspace: {folder}\ndata: {{path: '{data}'}}\n")
    run = ScheduledRun(load_config(file, {}), file, parse_every("day"), name="photos")
    write_schedule(run, "airflow", tmp_path / "airflow" / "dags")
    return airflow


def test_airflow_reads_both_dags(configured: Airflow) -> None:
    assert "No data found" in configured("dags", "list-import-errors", "--local")
    listed = json.loads(configured("dags", "list", "--local", "--output", "json"))
    assert {each["dag_id"] for each in listed} == {"photos", "photos-retraining"}


def test_a_run_asks_begins_and_is_not_tried_again_with_bad_data(
    configured: Airflow, tmp_path: Path
) -> None:
    # On the day that the file was written: there is nothing to do for the days before.
    text = (tmp_path / "airflow" / "dags" / "photos_dag.py").read_text()
    year, month, day = map(
        int, re.findall(r"^START = datetime\((\d+), (\d+), (\d+)", text, re.M)[0]
    )
    when = f"{year}-{month:02}-{day:02}"
    configured("dags", "test", "photos", when, code=1)
    first = f"{when}T00:00:00+00:00"
    told = configured("tasks", "states-for-dag-run", "photos", first, "--output", "json")
    states = {each["task_id"]: each["state"] for each in json.loads(told)}
    assert states.pop("needed") == "success"
    assert states.pop("ImageExampleGen") == "failed"
    # What depends on nothing of the data may have run.
    states.pop("LabelSchema", None)
    assert set(states.values()) == {"upstream_failed"}
