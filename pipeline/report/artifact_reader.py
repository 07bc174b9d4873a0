"""Reads what a run's components left, as far as it is there.

A report is most needed when something went wrong, so a missing or damaged file never stops it: it
reads as None or empty.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final, TypeVar
from zipfile import BadZipFile

from components.artifact_names import (
    EMBEDDED_BY_FILE,
    HISTORY_FILE,
    INGEST_FILE,
    METRICS_FILE,
    PROBE_FILE,
    QUARANTINE_FILE,
    SERVING_CHECK_FILE,
    SERVING_FOLDER,
    TRAINING_FILE,
    VERDICT_FILE,
)
from components.findings import CLASS_CHANGES_FILE, FINDINGS_FILE, FURTHER_LABELS_FILE
from components.judge.explanations import EXPLANATIONS_FILE, Explanation, load_explanations
from components.judge.prediction_file import FILE_NAME as PREDICTIONS, Predictions, load_predictions
from components.label_check.label_errors_file import FoundLabelErrors, read_label_errors
from models.embedding.artifact import INFO_FILE
from models.errors import GraftError
from models.history.tuning_history import TuningHistory, read_history
from models.search.images_beside import ImagesBeside
from models.search.search_record import SearchRecord, read_record
from models.storage.seals import DESCRIPTION
from pipeline.report.artifacts import Artifacts, Json
from pipeline.report.data_statistics import read_statistics
from pipeline.report.run_record import RunRecord

_File = TypeVar("_File")
_EMBEDDING: Final = {
    "LabelCheck": "label_errors",
    "Tuner": "history",
    "FeatureExtractor": "embeddings",
    "Trainer": "model",
}
"""Stages that may embed, each with the artifact that says who did it."""


def read_artifacts(run: RunRecord) -> Artifacts:
    """Reads all that is there."""
    return Artifacts(
        ingest=read_object(run, "quarantine", INGEST_FILE),
        quarantine=read_quarantine(run, "quarantine"),
        unlabelled=read_object(run, "unlabelled_quarantine", INGEST_FILE),
        unlabelled_left_out=read_quarantine(run, "unlabelled_quarantine"),
        target=read_object(run, "target_quarantine", INGEST_FILE),
        target_left_out=read_quarantine(run, "target_quarantine"),
        findings=[
            *read_list(run, "findings", FINDINGS_FILE),
            *read_list(run, "label_findings", FINDINGS_FILE),
        ],
        further_labels=read_list(run, "findings", FURTHER_LABELS_FILE),
        label_errors=read_found_labels(run),
        class_changes=read_object(run, "findings", CLASS_CHANGES_FILE),
        statistics=read_statistics(run.artifacts.get("statistics")),
        embeddings=read_object(run, "embeddings", INFO_FILE),
        embedded_by=read_embedded_by(run, _EMBEDDING),
        history=read_tuning(run),
        search=read_search(run),
        probe=read_object(run, "model", PROBE_FILE),
        training=read_object(run, "model", TRAINING_FILE),
        lineage=read_object(run, "model", f"{SERVING_FOLDER}/{DESCRIPTION}"),
        verdict=read_object(run, "blessing", VERDICT_FILE),
        metrics=read_object(run, "blessing", METRICS_FILE),
        predictions=_predictions(run),
        new_classes=read_object(run, "blessing", CLASS_CHANGES_FILE),
        explanations=_explanations(run),
        serving_check=read_object(run, "serving_check", SERVING_CHECK_FILE),
        validated="findings" in run.artifacts,
    )


def read_images_beside(run: RunRecord, columns: int) -> ImagesBeside:
    """Reads how many images there are without labels.

    Args:
        run: with the artifacts of those that it has taken in.
        columns: of further labels.
    """
    counts = {
        kind: read_object(run, f"{kind}_quarantine", INGEST_FILE).get("images", 0)
        for kind in ("unlabelled", "target")
    }
    return ImagesBeside(**counts, columns=columns)


def read_embedded_by(run: RunRecord, stages: Iterable[str]) -> dict[str, int]:
    """Reads how many images Beam's workers embedded, by worker.

    Args:
        run: with the stages' artifacts.
        stages: by their names; those that embed nothing count nothing.
    """
    told: Counter[str] = Counter()
    for stage in stages:
        if stage in _EMBEDDING:
            told.update(read_object(run, _EMBEDDING[stage], EMBEDDED_BY_FILE))
    return dict(sorted(told.items()))


def read_found_labels(run: RunRecord) -> FoundLabelErrors | None:
    """Reads which labels look wrong; None where nobody looked, or the file is damaged."""
    try:
        return read_label_errors(Path(run.artifacts["label_errors"]))
    except (KeyError, OSError, ValueError):
        return None


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


def read_object(run: RunRecord, key: str, file: str) -> Json:
    """Reads a file of an artifact that holds a JSON object; empty where there is none."""
    value = _parsed(_text(run, key, file))
    return value if isinstance(value, dict) else {}


def read_list(run: RunRecord, key: str, file: str) -> list[Json]:
    """Reads a file of an artifact that holds a list of JSON objects; empty where there is none."""
    value = _parsed(_text(run, key, file))
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def read_quarantine(run: RunRecord, key: str) -> list[Json]:
    """Reads what a Quarantine lists, an object for each thing left out; empty where none is."""
    values = [_parsed(line) for line in _text(run, key, QUARANTINE_FILE).split("\n")]
    return [value for value in values if isinstance(value, dict)]


def read_tuning(run: RunRecord) -> TuningHistory | None:
    """Reads the history of a search; None where there is none, or a damaged one."""
    return _read(run, "history", lambda folder: read_history(folder / HISTORY_FILE))


def read_search(run: RunRecord) -> SearchRecord | None:
    """Reads what the search did; None where there is none, or a damaged one."""
    return _read(run, "history", read_record)


def _read(run: RunRecord, key: str, read: Callable[[Path], _File]) -> _File | None:
    if key not in run.artifacts:
        return None
    try:
        return read(Path(run.artifacts[key]))
    except GraftError:
        return None


def _predictions(run: RunRecord) -> Predictions | None:
    return _archive(run, PREDICTIONS, load_predictions)


def _explanations(run: RunRecord) -> list[Explanation]:
    return _archive(run, EXPLANATIONS_FILE, load_explanations) or []


def _archive(run: RunRecord, name: str, load: Callable[[Path], _File]) -> _File | None:
    """Reads a file of the Judge; None where there is none, or a damaged one."""
    try:
        return load(Path(run.artifacts.get("blessing", "")) / name)
    except (OSError, ValueError, LookupError, BadZipFile):
        return None
