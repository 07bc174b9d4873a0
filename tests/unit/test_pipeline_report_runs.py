"""The report of runs that ended in different ways, and the summary for machines."""

import json
from datetime import datetime, timezone

import pytest
from finished_run import CLASSES, EVIL, visible_text

from pipeline.report.record import RunRecord, StageRecord
from pipeline.report.write import write_report


def test_the_summary_keeps_its_contract(run):
    write_report(run.record, run.folder / "out")
    summary = json.loads((run.folder / "out" / "summary.json").read_text())
    assert summary["status"] == "pushed"
    assert summary["data"] == {
        "images": 700,
        "classes": 10,
        "quarantined": 3,
        "fingerprint": "5f0c41d0aa",
    }
    assert summary["stages"]["ImageValidator"] == {"seconds": 0.05, "cached": True}
    assert summary["tuning"]["trials"] == 12
    assert set(summary["tuning"]["best"]) == {"score", "values"}
    measured = summary["metrics"]
    right = run.probabilities.argmax(axis=1) == run.target[500:]
    assert measured["accuracy"] == pytest.approx(right.mean())
    assert measured["validation_accuracy"] == 0.93
    assert measured["probe_accuracy"] == pytest.approx(
        (run.probe.argmax(axis=1) == run.target[500:]).mean()
    )
    assert set(measured["per_class"]) == set(CLASSES)
    assert summary["model"] == {
        "backbone": "EfficientNetLite0",
        "weights_digest": "ab12",
        "choice": None,
        "strategy": None,
        "pushed_to": "/srv/graft/3",
        "version": 3,
    }
    assert summary["serving_check"]["rest"]["passed"]


def test_what_was_found_damaged_is_told(run):
    assert "Found damaged" not in visible_text(run.page())
    run.record.repairs = [f"{EVIL} was damaged and was made again."]
    assert "was damaged and was made again." in visible_text(run.page())
    assert EVIL not in run.page()
    assert run.summary()["repairs"] == run.record.repairs


def test_a_run_that_failed_early_shows_what_there_is(run):
    run.record.status, run.record.reason = "failed", "Validation found 1 problem in the data."
    run.record.pushed_to = run.record.version = None
    run.record.stages = [StageRecord("ImageExampleGen", 2), StageRecord("Gate", 1, state="failed")]
    run.record.artifacts = {
        key: run.record.artifacts[key] for key in ("examples", "quarantine", "findings")
    }
    text = visible_text(run.page())
    assert "Failed in Gate" in text
    assert "Validation found 1 problem" in text
    assert "Refused files" in text
    assert "Worst mistakes" not in text


def test_a_run_without_any_artifact_has_a_report(tmp_path):
    record = RunRecord("r", datetime.now(timezone.utc), {}, reason="No such folder.")
    text = visible_text(write_report(record, tmp_path).read_text())
    assert "No such folder." in text
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["status"], summary["data"]["images"]) == ("failed", None)


@pytest.mark.parametrize("key", ["quarantine", "history", "model", "blessing", "statistics"])
def test_damaged_files_never_stop_the_report(run, key):
    for path in (run.folder / key).rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "Pushed as version 3" in visible_text(run.page())
