"""Learning curves, read from folders: published ones in Quick-Tune's format, or Graft's histories.

A folder of Graft's, such as the starter library, holds `*.jsonl`; of a data set with several
histories, `NAME-few` and `NAME-some`, none is past to another. One in Quick-Tune's format holds
`perf.json.gz` (data set → configuration → validation accuracy in percent after each epoch),
`cost.json.gz` (likewise, seconds of each epoch), `table.csv.gz` (a line for each configuration:
number and hyperparameters, a column `cat:NAME:VALUE` for each value of a text) and
`descriptors.json.gz` (data set → images, classes, pixels, channels).
"""

import dataclasses
import gzip
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from models.curves.learning_curve import CurveTask, LearningCurve
from models.errors import BadDataError
from models.history.search_space import Values
from models.history.tuning_history import read_history
from models.search.tried import curve_task

_COMMA_OUTSIDE_BRACKETS = re.compile(r",(?![^\[]*\])")
_PART = re.compile(r"-(few|some)$")
_FIGURES = ("classes", "pixels", "channels")
_LEAST_SECONDS = 1e-3


def read_tables(folders: Sequence[Path]) -> list[CurveTask]:
    """All data sets of the folders, each with its curves to their ends.

    Raises:
        BadDataError: a file is missing or not as described, or two folders have one data set.
    """
    tasks = [task for folder in folders for task in _read(folder)]
    names = [task.name for task in tasks]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadDataError(f"{', '.join(twice)}: the same data set in two places, or twice in one")
    return tasks


def data_set(task: str) -> str:
    """The data set that a task is made of."""
    return _PART.sub("", task)


def _read(folder: Path) -> list[CurveTask]:
    if histories := sorted(folder.glob("*.jsonl")):
        return [_whole(curve_task(read_history(path), path.stem)) for path in histories]
    try:
        scores, seconds, described = (
            _json(folder / f"{name}.json.gz") for name in ("perf", "cost", "descriptors")
        )
        configurations = _configurations(folder / "table.csv.gz")
        return [
            _task(name, described, scores[name], seconds, configurations) for name in sorted(scores)
        ]
    except KeyError as error:
        raise BadDataError(
            f"{folder} does not hold curves in Quick-Tune's format: perf.json.gz has {error}, "
            "which another of its files has not"
        ) from error
    except (OSError, ValueError) as error:
        raise BadDataError(
            f"{folder} does not hold curves in Quick-Tune's format: {error}"
        ) from error


def _whole(task: CurveTask) -> CurveTask:
    """With curves of which nothing is left to make."""
    curves = tuple(dataclasses.replace(curve, ended=True) for curve in task.curves)
    return dataclasses.replace(task, curves=curves)


def _task(
    name: str,
    described: dict[str, list[float]],
    scores: dict[str, list[float]],
    seconds: dict[str, dict[str, list[float]]],
    configurations: dict[str, Values],
) -> CurveTask:
    images, *figures = described[name]
    curves = []
    for key, percent in scores.items():
        if not percent:
            continue
        fractions = np.clip(np.divide(percent, 100), 0, 1)
        spent = np.maximum(seconds[name][key], _LEAST_SECONDS)
        try:
            curve = LearningCurve(
                configurations[key], tuple(fractions.tolist()), tuple(spent.tolist()), ended=True
            )
        except ValueError as error:
            raise ValueError(f"configuration {key} of {name}: {error}") from error
        curves.append(curve)
    return CurveTask(name, images, dict(zip(_FIGURES, figures, strict=False)), tuple(curves))


def _json(path: Path) -> dict[str, Any]:
    with gzip.open(path, "rt") as file:
        return json.load(file)


def _configurations(path: Path) -> dict[str, Values]:
    # The names of some columns hold commas, within brackets and without quotes.
    with gzip.open(path, "rt") as file:
        header, *lines = file.read().splitlines()
    names = _COMMA_OUTSIDE_BRACKETS.split(header)[1:]
    read = {}
    for line in lines:
        key, *cells = line.split(",")
        read[key] = _values(dict(zip(names, cells, strict=True)))
    return read


def _values(cells: dict[str, str]) -> Values:
    """Texts out of the columns that say by 1 which of them it is; numbers of the others."""
    values: Values = {}
    for column, cell in cells.items():
        if not cell:
            continue
        if not column.startswith("cat:"):
            values[column] = float(cell)
        elif float(cell):
            _, name, value = column.split(":", 2)
            values[name] = value
    return values
