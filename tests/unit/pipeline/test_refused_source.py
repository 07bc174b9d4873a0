from datetime import datetime, timezone
from pathlib import Path

import pytest

from components.example_gen.sources.entries import LeftOut
from components.example_gen.sources.refusals import RefusedSourceError
from pipeline.refused_source import keep_account
from pipeline.report.artifact_reader import read_artifacts
from pipeline.report.run_record import RunRecord


@pytest.mark.parametrize(
    ("key", "told"),
    [("data.path", "ingest"), ("data.unlabelled", "unlabelled"), ("data.target", "target")],
)
def test_the_account_is_of_the_source_that_was_refused(key: str, told: str, tmp_path: Path) -> None:
    left_out = [LeftOut("a.png", "truncated", "no end")]
    error = RefusedSourceError("nothing", left_out, ["b.png"], key)
    started = datetime.now(timezone.utc)
    record = RunRecord("1", started, {}, artifacts=keep_account(error, tmp_path))
    found = read_artifacts(record)
    accounts = {
        each: getattr(found, each).get("offered") for each in ("ingest", "unlabelled", "target")
    }
    assert accounts == {"ingest": None, "unlabelled": None, "target": None} | {told: 2}
