"""Reads what a run's components left, as far as it is there.

A report is most needed when something went wrong, so a missing or damaged file never stops it: it
reads as None or empty.
"""

import json
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from components.judge.prediction_file import FILE_NAME as PREDICTIONS, Predictions, load_predictions
from components.judge.verdict_files import METRICS, VERDICT
from models.tuning.backbone_choice import BackboneChoice, ChoiceError, read_choice
from models.tuning.history import HistoryError, TuningHistory, read_history
from models.tuning.warm.contribution import (
    FILE_NAME as CONTRIBUTION,
    Contribution,
    ContributionError,
    read_contribution,
)
from pipeline.report.data_statistics import read_statistics
from pipeline.report.found import Artifacts, Json
from pipeline.report.record import RunRecord


def read_artifacts(run: RunRecord) -> Artifacts:
    """Reads all that is there."""
    return Artifacts(
        ingest=_object(run, "quarantine", "ingest.json"),
        quarantine=_lines(run, "quarantine", "quarantine.jsonl"),
        findings=_list(run, "findings", "findings.json"),
        statistics=read_statistics(run.artifacts.get("statistics")),
        choice=_choice(run),
        embeddings=_object(run, "embeddings", "meta.json"),
        history=_history(run, "history"),
        contribution=_contribution(run, "history"),
        fine_tuning=_history(run, "fine_tuning_history"),
        fine_tuning_contribution=_contribution(run, "fine_tuning_history"),
        probe=_object(run, "history", "probe.json"),
        training=_object(run, "model", "training.json"),
        lineage=_object(run, "model", "Format-Serving/assets.extra/graft.json"),
        verdict=_object(run, "blessing", VERDICT),
        metrics=_object(run, "blessing", METRICS),
        predictions=_predictions(run),
        serving_check=_object(run, "serving_check", "serving_check.json"),
    )


def _text(run: RunRecord, key: str, file: str) -> str:
    if key not in run.artifacts:
        return ""
    try:
        return (Path(run.artifacts[key]) / file).read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _object(run: RunRecord, key: str, file: str) -> Json:
    value = _parsed(_text(run, key, file))
    return value if isinstance(value, dict) else {}


def _list(run: RunRecord, key: str, file: str) -> list[Json]:
    value = _parsed(_text(run, key, file))
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _lines(run: RunRecord, key: str, file: str) -> list[Json]:
    values = [_parsed(line) for line in _text(run, key, file).split("\n")]
    return [value for value in values if isinstance(value, dict)]


def _choice(run: RunRecord) -> BackboneChoice | None:
    if "choice" not in run.artifacts:
        return None
    try:
        return read_choice(Path(run.artifacts["choice"]))
    except ChoiceError:
        return None


def _history(run: RunRecord, key: str) -> TuningHistory | None:
    if key not in run.artifacts:
        return None
    try:
        return read_history(Path(run.artifacts[key]) / "history.jsonl")
    except HistoryError:
        return None


def _contribution(run: RunRecord, key: str) -> Contribution | None:
    if key not in run.artifacts:
        return None
    try:
        return read_contribution(Path(run.artifacts[key]) / CONTRIBUTION)
    except ContributionError:
        return None


def _predictions(run: RunRecord) -> Predictions | None:
    path = Path(run.artifacts.get("blessing", "")) / PREDICTIONS
    try:
        return load_predictions(path)
    except (OSError, ValueError, KeyError, BadZipFile):
        return None
