"""The files of a verdict: `verdict.json` and `metrics.json`, beside `predictions.npz`."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from components.artifact_names import METRICS_FILE, VERDICT_FILE
from components.class_changes import ClassChange
from components.findings import write_class_changes
from components.judge.checks import Verdict
from components.judge.forgetting import Forgetting
from components.judge.frequent_class import beside_frequent_class
from components.judge.further_columns import ColumnResult
from components.judge.gaps import Gap
from components.judge.occlusion import Shortcut
from components.judge.prediction_file import Predictions
from components.judge.slices import Slice
from models.intervals import interval_of
from models.metrics import Quality, calibration_bins


def write_verdict(directory: Path, verdict: Verdict, changes: tuple[ClassChange, ...] = ()) -> None:
    """Writes `verdict.json`, and `class_changes.json` where the classes are other ones.

    The first holds `blessed`, `reason` and `checks`: `name`, `passed`, `value`, `limit`, `words`,
    `interval`. The second holds `changes` against the last blessed model, each a `ClassChange`.
    """
    _write(directory / VERDICT_FILE, asdict(verdict))
    if changes:
        write_class_changes(directory, changes)


def write_metrics(
    directory: Path,
    predictions: Predictions,
    quality: Quality,
    slices: tuple[Slice, ...],
    gaps: tuple[Gap, ...],
    shortcuts: tuple[Shortcut, ...],
    forgetting: Forgetting | None,
    probe_accuracy: float | None,
    further: Sequence[ColumnResult] = (),
) -> None:
    """Writes `metrics.json`.

    It holds `quality` as `models.metrics.Quality`, `calibration` (bins), `slices`, `gaps` as
    `components.judge.gaps.Gap`, `shortcuts` as `components.judge.occlusion.Shortcut`, `forgetting`
    as `components.judge.forgetting.Forgetting` (None without an earlier model), `probe_accuracy`
    with `probe_accuracy_interval`, `frequent` (`label`, `share` and `aside` of
    `components.judge.frequent_class.FrequentClass`), and `further_labels`, each column as
    `components.judge.further_columns.ColumnResult`.
    """
    frequent = beside_frequent_class(predictions)
    bins = calibration_bins(predictions.truth, predictions.probabilities)
    _write(
        directory / METRICS_FILE,
        {
            "quality": asdict(quality),
            "calibration": [asdict(each) for each in bins],
            "slices": [asdict(each) for each in slices],
            "gaps": [asdict(each) for each in gaps],
            "shortcuts": [asdict(each) for each in shortcuts],
            "forgetting": asdict(forgetting) if forgetting else None,
            "probe_accuracy": probe_accuracy,
            "probe_accuracy_interval": interval_of(probe_accuracy, quality.images),
            "frequent": {
                "label": frequent.label,
                "share": frequent.share,
                "aside": frequent.aside,
            },
            "further_labels": [asdict(each) for each in further],
        },
    )


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
