"""Optuna's storages in an SQLite file, with all studies in it."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.history.imports.bounded import parse_json
from models.history.imports.foreign_past import (
    ForeignPast,
    ForeignPastError,
    ForeignTrial,
    Found,
    Refused,
    Wanted,
    passed_over,
)
from models.history.imports.scores import number_of
from models.history.imports.sqlite_file import SqliteFile, as_text, opened
from models.history.imports.times import latest, seconds_between
from models.history.imports.values import whole_numbers
from models.history.search_space import Choice, FloatRange, Parameter

_TABLES = {"studies", "study_directions", "trials", "trial_params", "trial_values"}
_MOST_STUDIES = 1000
_ENDED = ("COMPLETE", "PRUNED", "FAIL")
_DIRECTIONS: Mapping[object, Any] = {"MAXIMIZE": "max", "MINIMIZE": "min"}
_METRIC_NAMES = "study:metric_names"


def read_storage(path: Path, wanted: Wanted) -> list[Found]:
    """Reads all studies of a storage.

    Raises:
        ForeignPastError: it cannot be read, or is none of Optuna's.
    """
    with opened(path) as storage:
        _check_tables(storage)
        studies = storage.ask(
            f"SELECT study_id, {as_text('study_name')} FROM studies ORDER BY study_id "
            f"LIMIT {_MOST_STUDIES + 1}"
        )
        if len(studies) > _MOST_STUDIES:
            raise ForeignPastError(f"{path}: has more than {_MOST_STUDIES:,} studies")
        return [_study(storage, study, name, wanted) for study, name in studies]


def _check_tables(storage: SqliteFile) -> None:
    if not storage.tables.keys() >= _TABLES:
        raise ForeignPastError(
            f"{storage.path}: is no storage of Optuna's, or of an Optuna before 2.4, which "
            f"`optuna storage upgrade --storage sqlite:///{storage.path.name}` mends"
        )


def _study(storage: SqliteFile, study: int, name: str, wanted: Wanted) -> Found:
    try:
        return _read_study(storage, study, name, wanted)
    except ForeignPastError as error:
        return Refused(name, str(error))


def _read_study(storage: SqliteFile, study: int, name: str, wanted: Wanted) -> Found:
    where = f"{storage.path}, study {name!r}"
    directions = storage.ask(
        "SELECT direction FROM study_directions WHERE study_id = ? ORDER BY objective", study
    )
    if len(directions) != 1:
        raise ForeignPastError(
            f"{where}: has {len(directions)} objectives, of which none alone is the score. Write "
            "`study.trials_dataframe()` to a CSV file, and import that with --metric and "
            "--direction."
        )
    direction = _DIRECTIONS.get(directions[0][0], wanted.direction)
    if direction is None:
        raise ForeignPastError(f"{where}: says neither minimise nor maximise; see --direction.")
    all_trials = storage.ask(
        f"SELECT trial_id, {as_text('state')}, {as_text('datetime_start')}, "
        f"{as_text('datetime_complete')} FROM trials WHERE study_id = ? ORDER BY trial_id",
        study,
    )
    ended = [row for row in all_trials if row[1] in _ENDED]
    notes = passed_over(len(all_trials) - len(ended))
    values, space = _values(storage, study)
    scores, curves = _scores(storage, study), _curves(storage, study)
    trials = [
        _trial(row, values.get(row[0], {}), scores.get(row[0]), curves.get(row[0], ()))
        for row in ended
    ]
    return ForeignPast(
        tuner="Optuna",
        name=name,
        metric=wanted.metric or _metric(storage, study),
        direction=direction,
        trials=trials,
        created=latest([row[3] for row in ended], storage.path),
        space=space,
        versions=_versions(storage),
        notes=notes,
    )


def _trial(
    row: tuple[Any, ...], values: dict[str, object], score: float | None, curve: tuple[float, ...]
) -> ForeignTrial:
    _, state, start, end = row
    if state == "PRUNED" and score is None and curve:
        score = curve[-1]
    return ForeignTrial(
        values,
        None if state == "FAIL" else score,
        scores=curve,
        took=seconds_between(start, end),
        stopped=state == "PRUNED",
        message="" if state == "COMPLETE" else f"Optuna has it as {state}",
    )


def _values(
    storage: SqliteFile, study: int
) -> tuple[dict[int, dict[str, object]], list[Parameter]]:
    """The hyperparameters of each trial, and the range that each of them had first."""
    rows = storage.ask(
        f"SELECT trial_id, {as_text('param_name')}, param_value, {as_text('distribution_json')} "
        "FROM trial_params JOIN trials USING (trial_id) WHERE study_id = ? ORDER BY param_id",
        study,
    )
    values: dict[int, dict[str, object]] = {}
    space: dict[str, Parameter] = {}
    known: dict[str, dict[str, Any]] = {}
    for trial, name, value, text in rows:
        if text not in known:
            known[text] = _distribution(text, f"{storage.path}: the range of {name!r}")
        values.setdefault(trial, {})[name] = _value(known[text], value)
        if name not in space and (parameter := _parameter(name, known[text])):
            space[name] = parameter
    return values, list(space.values())


def _distribution(text: str, where: str) -> dict[str, Any]:
    read = parse_json(text, where)
    attributes = read.get("attributes") if isinstance(read, dict) else None
    if not isinstance(read, dict) or not isinstance(attributes, dict):
        raise ForeignPastError(f"{where}: is none of Optuna's distributions")
    return {**attributes, "kind": str(read.get("name"))}


def _value(distribution: Mapping[str, Any], value: object) -> object:
    """The value itself: Optuna stores a number, of a choice its place in the list."""
    number = number_of(value)
    if number is None or not math.isfinite(number):
        return None
    if distribution["kind"] == "CategoricalDistribution":
        choices = distribution.get("choices")
        listed = choices if isinstance(choices, list) else []
        return listed[int(number)] if number in range(len(listed)) else None
    return int(number) if distribution["kind"].startswith("Int") else number


def _parameter(name: str, distribution: Mapping[str, Any]) -> Parameter | None:
    kind = distribution["kind"]
    try:
        if kind == "CategoricalDistribution":
            choices = [each for each in distribution["choices"] if each is not None]
            return Choice.model_validate({"name": name, "values": choices})
        low, high = distribution["low"], distribution["high"]
        log = bool(distribution.get("log")) or "Log" in kind
        if kind.startswith("Int"):
            return whole_numbers(name, low, high, distribution.get("step") or 1, log=log)
        scale = "log" if log else "linear"
        return FloatRange.model_validate({"name": name, "low": low, "high": high, "scale": scale})
    except (KeyError, TypeError, ValidationError):
        return None


def _scores(storage: SqliteFile, study: int) -> dict[int, float]:
    """The score of each trial that has one; infinite where Optuna says so."""
    kind = "value_type" if storage.has_column("trial_values", "value_type") else "'FINITE'"
    rows = storage.ask(
        f"SELECT trial_id, value, {kind} FROM trial_values JOIN trials USING (trial_id) "
        "WHERE study_id = ?",
        study,
    )
    return {trial: _number(value, kind) for trial, value, kind in rows}


def _curves(storage: SqliteFile, study: int) -> dict[int, tuple[float, ...]]:
    """What each trial reported after each step from the first; empty where steps are missing."""
    table = "trial_intermediate_values"
    if not storage.has_column(table, "intermediate_value"):
        return {}
    kind = "intermediate_value_type"
    kind = kind if storage.has_column(table, kind) else "'FINITE'"
    rows = storage.ask(
        f"SELECT trial_id, step, intermediate_value, {kind} FROM {table} "
        "JOIN trials USING (trial_id) WHERE study_id = ? ORDER BY trial_id, step",
        study,
    )
    found: dict[int, list[tuple[int, float]]] = {}
    for trial, step, value, kind in rows:
        found.setdefault(trial, []).append((step, _number(value, kind)))
    return {trial: _curve(reports) for trial, reports in found.items()}


def _curve(reports: list[tuple[int, float]]) -> tuple[float, ...]:
    steps = [step for step, _ in reports]
    is_whole = steps[0] in (0, 1) and steps == list(range(steps[0], steps[0] + len(steps)))
    return tuple(value for _, value in reports) if is_whole else ()


def _number(value: object, kind: str) -> float:
    number = number_of(value) if kind == "FINITE" else None
    return math.nan if number is None else number


def _metric(storage: SqliteFile, study: int) -> str:
    """The name that the user gave to the score, or Optuna's own word for it."""
    if not storage.has_column("study_system_attributes", "value_json"):
        return "value"
    rows = storage.ask(
        f"SELECT {as_text('value_json')} FROM study_system_attributes "
        "WHERE study_id = ? AND key = ?",
        study,
        _METRIC_NAMES,
    )
    names = parse_json(rows[0][0], str(storage.path)) if rows else None
    is_named = isinstance(names, list) and len(names) == 1 and isinstance(names[0], str)
    return names[0] if isinstance(names, list) and is_named else "value"


def _versions(storage: SqliteFile) -> dict[str, str]:
    if not storage.has_column("version_info", "library_version"):
        return {}
    rows = storage.ask(f"SELECT {as_text('library_version')} FROM version_info LIMIT 1")
    return {"optuna": rows[0][0]} if rows else {}
