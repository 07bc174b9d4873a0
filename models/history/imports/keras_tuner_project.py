"""Keras Tuner's project folders: `oracle.json`, and `trial_*/trial.json` for each trial.

Of a trial Keras Tuner keeps the figures of the best epoch, and in older projects those of each.
Trials of Hyperband that were not trained to the end count as stopped.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from models.history.imports.bounded import Reader, folders_in, read_each
from models.history.imports.foreign_past import (
    Direction,
    ForeignPast,
    ForeignPastError,
    ForeignTrial,
    Found,
    Wanted,
    passed_over,
)
from models.history.imports.scores import choose_direction, choose_metric, is_usable
from models.history.imports.times import latest
from models.history.imports.values import whole_numbers
from models.history.search_space import Choice, FloatRange, Parameter

_FAILED = ("FAILED", "INVALID", "STOPPED")
_OWN = "tuner/"
_EPOCHS = "tuner/epochs"

_Object = Mapping[str, Any]


def is_project(folder: Path) -> bool:
    """Whether a folder looks like a project."""
    return any((each / "trial.json").is_file() for each in _trial_folders(folder))


def read_project(folder: Path, wanted: Wanted) -> list[Found]:
    """Reads a project.

    Raises:
        ForeignPastError: it cannot be read, or its score is in doubt.
    """
    reader, where = Reader(), str(folder)
    found, notes = read_each(
        reader, _trial_folders(folder), lambda each: _object(reader, each / "trial.json")
    )
    read = {place.name: trial for place, trial in found.items()}
    oracle = _oracle(reader, folder / "oracle.json")
    started = oracle.get("start_order")
    order = [f"trial_{name}" for name in started] if isinstance(started, list) else []
    trials = [read[name] for name in dict.fromkeys([*order, *read]) if name in read]
    metric = _metric(trials, wanted, where)
    direction = _direction(trials, metric, wanted, where)
    ended = [each for each in trials if each.get("status") in ("COMPLETED", *_FAILED)]
    notes += passed_over(len(trials) - len(ended))
    longest = max((_epochs(each) for each in ended), default=0)
    past = ForeignPast(
        tuner="Keras Tuner",
        name=folder.absolute().name,
        metric=metric,
        direction=direction,
        trials=[_trial(each, metric, direction, longest) for each in ended],
        created=latest([], folder / "oracle.json" if oracle else folder),
        space=_space([oracle, *trials]),
        notes=notes,
    )
    return [past]


def _trial_folders(folder: Path) -> list[Path]:
    return [each for each in folders_in(folder) if each.name.startswith("trial_")]


def _oracle(reader: Reader, path: Path) -> _Object:
    """What the oracle kept; the trials alone say nearly as much where it is missing or damaged."""
    try:
        return _object(reader, path) if path.is_file() else {}
    except ForeignPastError:
        return {}


def _object(reader: Reader, path: Path) -> _Object:
    content = reader.json(path)
    if not isinstance(content, dict):
        raise ForeignPastError(f"{path}: is none of Keras Tuner's files")
    return content


def _metric(trials: Sequence[_Object], wanted: Wanted, where: str) -> str:
    """The figure that the trials were scored by, unless the user names another."""
    kept = [_figures(trial) for trial in trials if trial.get("status") == "COMPLETED"]
    names = {name for figures in kept for name in figures}
    if wanted.metric is None:
        scored = [trial for trial in trials if trial.get("status") == "COMPLETED"]
        names = {name for name in names if all(_is_score(trial, name) for trial in scored)} or names
    return choose_metric(sorted(names), wanted, where)


def _is_score(trial: _Object, metric: str) -> bool:
    score = trial.get("score")
    if score is None or not is_usable(score):
        return False
    return any(
        math.isclose(value, score, rel_tol=1e-9) for _, value in _observations(trial, metric)
    )


def _direction(trials: Sequence[_Object], metric: str, wanted: Wanted, where: str) -> Direction:
    told = [_figures(trial).get(metric, {}).get("direction") for trial in trials]
    known: set[Direction] = {each for each in told if each in ("min", "max")}
    if len(known) == 1:
        return known.pop()
    return choose_direction(metric, wanted, where)


def _trial(trial: _Object, metric: str, direction: Direction, longest: int) -> ForeignTrial:
    values = {name: value for name, value in _values(trial).items() if not name.startswith(_OWN)}
    if trial["status"] != "COMPLETED":
        return ForeignTrial(values, None, message=_last_line(trial.get("message")))
    observations = _observations(trial, metric)
    scores = [value for _, value in observations]
    best = (max if direction == "max" else min)(scores) if scores else None
    steps = [step for step, _ in observations]
    is_curve = len(steps) > 1 and steps == list(range(steps[0], steps[0] + len(steps)))
    return ForeignTrial(
        values,
        best,
        scores=tuple(scores) if is_curve and steps[0] in (0, 1) else (),
        stopped=_epochs(trial) < longest,
    )


def _observations(trial: _Object, metric: str) -> list[tuple[int, float]]:
    """Step and figure, a mean over its executions, in the order of the steps."""
    found = []
    for each in _list(_figures(trial).get(metric, {}).get("observations")):
        values = _list(each.get("value")) if isinstance(each, dict) else []
        if values and all(is_usable(value) for value in values):
            step = each.get("step")
            found.append((step if isinstance(step, int) else -1, sum(values) / len(values)))
    return sorted(found)


def _figures(trial: _Object) -> dict[str, Any]:
    metrics = trial.get("metrics")
    kept = metrics.get("metrics") if isinstance(metrics, dict) else None
    figures = kept if isinstance(kept, dict) else {}
    return {name: value for name, value in figures.items() if isinstance(value, dict)}


def _values(trial: _Object) -> dict[str, object]:
    hyperparameters = trial.get("hyperparameters")
    values = hyperparameters.get("values") if isinstance(hyperparameters, dict) else None
    return values if isinstance(values, dict) else {}


def _epochs(trial: _Object) -> int:
    epochs = _values(trial).get(_EPOCHS)
    return epochs if isinstance(epochs, int) else 0


def _last_line(message: object) -> str:
    lines = message.strip().splitlines() if isinstance(message, str) else []
    return lines[-1] if lines else ""


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _space(kept: Sequence[_Object]) -> list[Parameter]:
    """The parameters as the oracle has them, and those that only a trial has."""
    found: dict[str, Parameter] = {}
    for each in kept:
        hyperparameters = each.get("hyperparameters")
        space = hyperparameters.get("space") if isinstance(hyperparameters, dict) else None
        for entry in _list(space):
            parameter = _parameter(entry)
            if parameter is not None:
                found.setdefault(parameter.name, parameter)
    return list(found.values())


def _parameter(entry: object) -> Parameter | None:
    """A parameter of Keras Tuner's; None for what it is not known to write."""
    if not isinstance(entry, dict) or not isinstance(entry.get("config"), dict):
        return None
    kind, config = entry.get("class_name"), entry["config"]
    name = config.get("name")
    try:
        match kind:
            case "Float":
                scale = "log" if config.get("sampling") == "log" else "linear"
                low, high = config["min_value"], config["max_value"]
                return FloatRange.model_validate(
                    {"name": name, "low": low, "high": high, "scale": scale}
                )
            case "Int":
                low, high, step = config["min_value"], config["max_value"], config.get("step")
                log = config.get("sampling") == "log"
                return whole_numbers(name, low, high, step or 1, log=log)
            case "Choice":
                return Choice.model_validate({"name": name, "values": config["values"]})
            case "Boolean":
                return Choice.model_validate({"name": name, "values": (False, True)})
            case "Fixed":
                return Choice.model_validate({"name": name, "values": (config["value"],)})
    except (KeyError, TypeError, ValidationError):
        return None
    return None
