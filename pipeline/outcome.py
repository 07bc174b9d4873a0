"""How a run ended, read from what its components published."""

import json
from dataclasses import dataclass
from pathlib import Path

from components.artifact_names import SERVING_CHECK_FILE, VERDICT_FILE
from models.errors import GraftError, NotBlessedError
from pipeline.report.run_record import Status

ARTIFACT_KEYS = {
    "ImageExampleGen": {"examples": "examples", "quarantine": "quarantine"},
    "StatisticsGen": {"statistics": "statistics"},
    "SchemaCurator": {"schema": "schema"},
    "ExampleValidator": {"anomalies": "anomalies"},
    "ImageValidator": {"findings": "findings"},
    "LabelCheck": {"label_errors": "label_errors"},
    "LabelGate": {"findings": "label_findings"},
    "Transform": {"transform_graph": "transform_graph"},
    "Tuner": {
        "history": "history",
        "chosen": "choice",
        "best_hyperparameters": "best_hyperparameters",
        "state": "state",
    },
    "FeatureExtractor": {"embeddings": "embeddings"},
    "UnlabelledImages": {"examples": "unlabelled", "quarantine": "unlabelled_quarantine"},
    "TargetImages": {"examples": "target", "quarantine": "target_quarantine"},
    "Trainer": {"model": "model", "model_run": "model_run"},
    "Baseline": {"model": "baseline_model"},
    "Evaluator": {"evaluation": "evaluation"},
    "Judge": {"blessing": "blessing"},
    "ServingCheck": {"blessing": "serving_check"},
    "ReferenceMaker": {"reference": "monitoring_reference"},
    "Pusher": {"pushed_model": "pushed_model"},
}
"""Node to its output keys, each with the name that the report knows it by."""


@dataclass(frozen=True)
class Outcome:
    """Result of a run.

    Attributes:
        status: as in `summary.json`.
        reason: one sentence.
        exit_code: of the `graft` command.
    """

    status: Status
    reason: str
    exit_code: int


def outcome(artifacts: dict[str, str]) -> Outcome:
    """Reads the verdict, the serving check and the push.

    Args:
        artifacts: name to URI, of a run whose stages all ended.
    """
    verdict = json.loads((Path(artifacts["blessing"]) / VERDICT_FILE).read_text("utf-8"))
    if not verdict["blessed"]:
        return Outcome("not_blessed", verdict["reason"], NotBlessedError.exit_code)
    check = json.loads((Path(artifacts["serving_check"]) / SERVING_CHECK_FILE).read_text("utf-8"))
    if not check["passed"]:
        return Outcome("failed", check["reason"], GraftError.exit_code)
    return Outcome("pushed", verdict["reason"], 0)
