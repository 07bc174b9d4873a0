"""Whether a run says rightly that it came to the weights of an earlier one."""

import dataclasses
import json
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from models.search.search_record import SearchRecord
from pipeline.report.artifacts import Artifacts
from pipeline.report.reproduction import Reproduction, reproduction
from pipeline.report.run_record import RunRecord, StageRecord
from pipeline.report.summary import summary

CONFIG = {"seed": 1, "model": {"backbone": "B"}, "serving": {"model_name": "m"}}
MACHINE = {"processor": "P", "cores": 2, "gpus": "", "onednn": "1"}


def _found(weights: str = "w1", **other: Any) -> Artifacts:
    lineage = {"model_digest": weights, "code": "c", "versions": {"keras": "3"}}
    made: dict[str, Any] = {
        "ingest": {"fingerprint": "d"},
        "lineage": lineage,
        "training": {"machine": MACHINE},
    }
    return Artifacts(**{**made, **other})


def _search(budget: float) -> SearchRecord:
    seconds = {"spent": 1.0, "usual_seconds": 1.0, "training_seconds": 1.0}
    return SearchRecord(budget=budget, chosen={}, words="", **seconds)


def _run(
    runs: Path,
    name: str,
    found: Artifacts,
    config: dict[str, Any] | None = None,
    *,
    cached: bool = False,
) -> Reproduction:
    """Judges a run, and leaves its summary for the next one."""
    record = RunRecord(
        name,
        datetime(2026, 1, 1, tzinfo=timezone.utc),
        config or CONFIG,
        stages=[StageRecord("Trainer", 1.0, cached)],
    )
    record.reproduction = reproduction(record, found, runs)
    (runs / name).mkdir(parents=True)
    said = dataclasses.replace(found, search=None)
    (runs / name / "summary.json").write_text(json.dumps(summary(record, said)))
    return record.reproduction


def test_the_first_run_has_none_to_compare_with(tmp_path: Path) -> None:
    said = _run(tmp_path, "1", _found())
    assert (said.weights, said.run, said.same) == ("w1", None, None)
    assert said.words.startswith("No earlier run")
    assert "comes to the same weights" in said.words


def test_the_same_weights_are_the_newest_run_s(tmp_path: Path) -> None:
    _run(tmp_path, "1", _found("w0"))
    _run(tmp_path, "2", _found())
    said = _run(tmp_path, "3", _found(), {**CONFIG, "serving": {"model_name": "other"}})
    assert (said.run, said.same, said.prevented_by) == ("2", True, ())
    assert "the same weights, bit by bit" in said.words


def test_other_weights_without_a_cause_are_said_to_have_none(tmp_path: Path) -> None:
    _run(tmp_path, "1", _found())
    said = _run(tmp_path, "2", _found("w2"))
    assert (said.run, said.same, said.prevented_by) == ("1", False, ())
    assert "nothing that is known explains it" in said.words


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"search": _search(60.0)}, "by the clock"),
        ({"training": {"machine": {**MACHINE, "gpus": "G"}}}, "GPU"),
        ({"training": {"machine": {**MACHINE, "processor": "Q"}}}, "another machine"),
        ({"lineage": {**_found("w2").lineage, "code": "e"}}, "code was another"),
        ({"lineage": {**_found("w2").lineage, "versions": {"keras": "4"}}}, "other versions"),
    ],
)
def test_what_prevented_it_is_named(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    _run(tmp_path, "1", _found())
    said = _run(tmp_path, "2", _found("w2", **changed))
    assert said.same is False
    assert any(words in each for each in said.prevented_by)
    assert words in said.words
    assert "nothing that is known" not in said.words


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ({**CONFIG, "seed": 2}, _found()),
        ({**CONFIG, "model": {"backbone": "C"}}, _found()),
        (CONFIG, _found(ingest={"fingerprint": "other"})),
        (CONFIG, _found(lineage={"model_digest": "w1", "data_fingerprint": "another split"})),
        (CONFIG, _found(lineage={"model_digest": "w1", "begun_from": "an earlier model"})),
    ],
)
def test_another_task_is_not_compared(
    tmp_path: Path, config: dict[str, Any], found: Artifacts
) -> None:
    _run(tmp_path, "1", _found())
    assert _run(tmp_path, "2", found, config).run is None


def test_a_model_from_the_cache_proves_nothing(tmp_path: Path) -> None:
    _run(tmp_path, "1", _found())
    said = _run(tmp_path, "2", _found(), cached=True)
    assert (said.run, said.same) == (None, None)
    assert "not trained again" in said.words


@pytest.mark.parametrize("content", [b"", b"[]", b'{"reproduction": 3}', b"\xff", b"[" * 100_000])
def test_a_damaged_summary_is_passed_over(tmp_path: Path, content: bytes) -> None:
    _run(tmp_path, "1", _found())
    (tmp_path / "2").mkdir()
    (tmp_path / "2" / "summary.json").write_bytes(content)
    (tmp_path / "3").mkdir()
    assert _run(tmp_path, "4", _found()).run == "1"


def test_without_a_model_there_is_nothing_to_say(tmp_path: Path) -> None:
    assert _run(tmp_path, "1", Artifacts()) == Reproduction()
