"""Whether a run says rightly how long it took of what it told."""

from datetime import datetime, timezone

import pytest

from models.search.search_record import SearchRecord
from pipeline.report.artifacts import Artifacts
from pipeline.report.run_record import RunRecord, StageRecord, Status
from pipeline.report.summary import summary


def _run(status: Status = "pushed", *, cached: str = "") -> RunRecord:
    seconds = {"ImageExampleGen": 100.0, "Tuner": 30.0, "Trainer": 20.0, "Pusher": 5.0}
    stages = [StageRecord(name, each, name == cached) for name, each in seconds.items()]
    started = datetime(2026, 1, 1, tzinfo=timezone.utc)
    return RunRecord("1", started, {"model": {}, "serving": {}}, status=status, stages=stages)


def _tuning(run: RunRecord, told: float | None = 50.0) -> dict[str, float | None]:
    record = SearchRecord(
        budget=20.0,
        spent=19.0,
        usual_seconds=30.0,
        training_seconds=10.0,
        told_seconds=told,
        before_seconds=7.0,
        chosen={},
        words="",
    )
    found: dict[str, float | None] = summary(run, Artifacts(search=record))["tuning"]
    return found


def test_taken_is_all_from_what_was_told_to_the_push() -> None:
    tuning = _tuning(_run())
    assert (tuning["told_seconds"], tuning["taken_seconds"]) == (50.0, 48.0)


def test_the_data_may_come_from_an_earlier_run() -> None:
    assert _tuning(_run(cached="ImageExampleGen"))["taken_seconds"] == 48.0


@pytest.mark.parametrize("run", [_run("not_blessed"), _run(cached="Tuner"), _run(cached="Trainer")])
def test_what_was_not_done_to_the_end_is_not_compared(run: RunRecord) -> None:
    assert _tuning(run)["taken_seconds"] is None


def test_where_nothing_was_told_nothing_is_compared() -> None:
    tuning = _tuning(_run(), told=None)
    assert (tuning["told_seconds"], tuning["taken_seconds"]) == (None, None)
