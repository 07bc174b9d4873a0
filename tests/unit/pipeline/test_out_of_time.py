"""What a run says that its minutes were not enough for."""

import json
from datetime import datetime, timezone
from pathlib import Path

import pytest

from models.errors import OutOfTimeError
from pipeline.config_file import load_config
from pipeline.out_of_time import out_of_time
from pipeline.report.artifacts import Artifacts
from pipeline.report.run_record import RunRecord, StageRecord
from pipeline.report.summary import summary
from pipeline.run_folder import SUMMARY
from pipeline.workspace import Workspace


def ended(root: Path, night: int, *stages: StageRecord) -> str:
    """What a run says whose last stage was stopped."""
    config = load_config(None, {"workspace": str(root), "limits.minutes": 5})
    started = datetime(2026, 11, night, tzinfo=timezone.utc)
    record = RunRecord(f"202611{night:02d}-020000-000", started, {}, stages=list(stages))
    folder = root / "runs" / record.run_id
    folder.mkdir(parents=True)
    outcome = out_of_time(config, Workspace.of(config), record)
    assert outcome.exit_code == OutOfTimeError.exit_code
    record.status = outcome.status
    (folder / SUMMARY).write_text(json.dumps(summary(record, Artifacts())), "utf-8")
    return outcome.reason


def stopped(name: str) -> StageRecord:
    return StageRecord(name, 300.0, state="stopped")


def test_a_stage_that_begins_anew_and_is_stopped_twice_says_what_to_do(tmp_path: Path) -> None:
    ingested = StageRecord("ImageExampleGen", 1.0)
    first = ended(tmp_path, 1, ingested, stopped("Evaluator"))
    assert first.endswith("goes on from there.")
    assert "this stage begins anew each time: raise limits.minutes" in ended(
        tmp_path, 2, StageRecord("ImageExampleGen", 0.0, cached=True), stopped("Evaluator")
    )
    assert "anew" not in ended(tmp_path, 3, stopped("ImageExampleGen"))
    assert "anew" not in ended(tmp_path, 4)


@pytest.mark.parametrize("name", ["LabelCheck", "FeatureExtractor", "Tuner", "Trainer"])
def test_of_a_stage_that_goes_on_inside_nothing_is_said(tmp_path: Path, name: str) -> None:
    said = [ended(tmp_path, night, stopped(name)) for night in (1, 2)]
    assert not any("anew" in each for each in said)
