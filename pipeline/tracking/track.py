"""Adds a run that has ended to MLflow."""

import math
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from components.artifact_names import TRAINING_FILE
from models.history.records import TrialRecord
from pipeline.config import Config
from pipeline.needed.inputs import BESIDE
from pipeline.node_names import SEARCH
from pipeline.report.artifact_reader import read_object, read_tuning
from pipeline.report.run_record import RunRecord
from pipeline.run_folder import REPORT, SUMMARY
from pipeline.tracking.mlflow_server import Ending, Metric, MlflowServer, TrackingError


def track(config: Config, record: RunRecord, told: Mapping[str, Any], folder: Path) -> str:
    """Adds a run: its parameters, metrics, epochs and files, and its trials as runs below it.

    Args:
        config: of the run.
        record: what is known of it.
        told: its `summary.json`.
        folder: of the run.

    Returns:
        Why it was not added, or not all of it; empty where it was.
    """
    address = config.tracking.mlflow
    if address.startswith("$"):
        address = os.environ.get(address[1:], "")
        if not address:
            return f"The run was not added to MLflow: {config.tracking.mlflow} is empty."
    try:
        with closing(MlflowServer(address, config.tracking.timeout_seconds)) as server:
            _add(server, config, record, told, folder)
    except (TrackingError, OSError) as error:
        return f"The run was not added to MLflow, or not all of it: {error}."
    return ""


def _add(
    server: MlflowServer,
    config: Config,
    record: RunRecord,
    told: Mapping[str, Any],
    folder: Path,
) -> None:
    experiment = server.experiment(config.tracking.experiment)
    begun = round(record.started.timestamp() * 1000)
    ended = begun + round(record.seconds * 1000)
    ours = {"mlflow.source.name": "graft", "graft.workspace": str(config.workspace_path)}
    # The server, or the run before, may have died while that one was added.
    for left in server.unfinished(experiment, ours):
        server.end(left, ended, "KILLED")
    tags = {**ours, **_tags(told, folder)}
    run, place = server.begin(experiment, record.run_id, begun, tags)
    training = read_object(record, "model", TRAINING_FILE)
    metrics = [*_figures(told), *_epochs(training.get("history", {}))]
    # The rest changes no result, and may hold secrets.
    asked = config.model_dump(mode="json", exclude=BESIDE)
    server.log(run, dict(_flat(asked)), metrics, ended)
    for trial in _trials(record, told):
        tags = {**ours, "mlflow.parentRunId": run}
        below, _ = server.begin(experiment, f"trial {trial.order}", begun, tags)
        server.log(below, trial.values, _figures_of(trial), ended)
        server.end(below, begun + round(trial.seconds * 1000), _ending(trial.status))
    server.end(run, ended, _ending(told["status"]))
    # Last: of a server that takes no files all but these are there.
    for name in (REPORT, SUMMARY):
        server.store(place, folder / name)


def _ending(status: str) -> Ending:
    return "FAILED" if status == "failed" else "FINISHED"


def _tags(told: Mapping[str, Any], folder: Path) -> dict[str, str]:
    known = {
        "mlflow.note.content": told["reason"],
        "graft.status": told["status"],
        "graft.report": folder / REPORT,
        "graft.data_fingerprint": told["data"]["fingerprint"],
        "graft.pushed_to": told["model"]["pushed_to"],
        "graft.published_to": told["model"]["published_to"],
        "graft.version": told["model"]["version"],
    }
    return {key: str(value) for key, value in known.items() if value not in (None, "")}


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield above + key, value


def _figures(told: Mapping[str, Any]) -> Iterator[Metric]:
    metrics = told["metrics"]
    # Of a further column as its outputs are called; of what was forgotten all that is a number.
    columns = {f"{column}/": each for column, each in metrics["further_labels"].items()}
    for above, values in (
        ("", metrics),
        ("forgetting.", metrics["forgetting"] or {}),
        *columns.items(),
    ):
        for name, value in values.items():
            yield from _metric(f"{above}{name}", value)
    yield from _metric("images", told["data"]["images"])
    yield from _metric("seconds", told["seconds"])
    for name, stage in told["stages"].items():
        yield from _metric(f"seconds.{name}", stage["seconds"])


def _epochs(history: Mapping[str, list[Any]]) -> Iterator[Metric]:
    for name, values in history.items():
        for step, value in enumerate(values):
            yield from _metric(f"epoch.{name}", value, step)


def _trials(record: RunRecord, told: Mapping[str, Any]) -> tuple[TrialRecord, ...]:
    """Those that this run made: of an earlier run's search they are below that one."""
    if told["stages"].get(SEARCH, {"cached": True})["cached"]:
        return ()
    history = read_tuning(record)
    return () if history is None else history.trials


def _figures_of(trial: TrialRecord) -> Iterator[Metric]:
    yield from _metric("score", trial.score)
    for evaluation in trial.evaluations[:1]:
        curve = evaluation.curve
        columns = {
            "train_loss": curve.train_loss,
            "validation_loss": curve.validation_loss,
            "validation_accuracy": curve.validation_accuracy,
        }
        yield from _epochs({name: list(values) for name, values in columns.items()})


def _metric(name: str, value: Any, step: int = 0) -> Iterator[Metric]:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if is_number and math.isfinite(value):
        yield name, float(value), step
