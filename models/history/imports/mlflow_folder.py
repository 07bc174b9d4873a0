"""MLflow's file store, `mlruns/`: a folder for each experiment, in it one for each run."""

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from models.history.imports.bounded import Reader, files_below, folders_in, read_each
from models.history.imports.foreign_past import ForeignPastError, Found, Refused, Wanted
from models.history.imports.mlflow_runs import Point, Run, experiment_past, milliseconds
from models.history.imports.scores import choose_metric

_META = "meta.yaml"
_MOST_META_CHARACTERS = 2**16


def is_store(folder: Path) -> bool:
    """Whether a folder looks like a store, or like one experiment of it."""
    return _is_experiment(folder) or any(_is_experiment(each) for each in folders_in(folder))


def read_store(folder: Path, wanted: Wanted) -> list[Found]:
    """Reads all experiments of a store that have runs, or one experiment.

    Raises:
        ForeignPastError: it cannot be read.
    """
    reader = Reader()
    inner = [folder] if _is_experiment(folder) else folders_in(folder)
    experiments = [each for each in inner if _is_experiment(each) and _runs(each)]
    return [_experiment(reader, each, wanted) for each in experiments]


def _is_experiment(folder: Path) -> bool:
    return (folder / _META).is_file() and not _is_run(folder)


def _is_run(folder: Path) -> bool:
    return any((folder / name).is_dir() for name in ("metrics", "params"))


def _runs(experiment: Path) -> list[Path]:
    return [each for each in folders_in(experiment) if _is_run(each)]


def _experiment(reader: Reader, folder: Path, wanted: Wanted) -> Found:
    name = folder.name
    try:
        name = str(_meta(reader, folder).get("name") or name)
        metas, notes = read_each(reader, _runs(folder), lambda each: _meta(reader, each))
        active = [each for each, meta in metas.items() if meta.get("lifecycle_stage") == "active"]
        figures = {figure for each in active for figure, _ in files_below(each / "metrics")}
        metric = choose_metric(sorted(figures), wanted, f"{folder}, experiment {name!r}")
        runs, damaged = read_each(
            reader, active, lambda each: _run(reader, each, metas[each], metric)
        )
        past = experiment_past(name, metric, list(runs.values()), wanted, folder)
        return dataclasses.replace(past, notes=[*notes, *damaged, *past.notes])
    except ForeignPastError as error:
        return Refused(name, str(error))


def _run(reader: Reader, folder: Path, meta: dict[str, Any], metric: str) -> Run:
    points = folder / "metrics" / metric
    return Run(
        parameters={name: reader.text(path) for name, path in files_below(folder / "params")},
        points=_points(reader.text(points), points) if points.is_file() else (),
        status=meta.get("status"),
        began=milliseconds(meta.get("start_time")),
        ended=milliseconds(meta.get("end_time")),
    )


def _meta(reader: Reader, folder: Path) -> dict[str, Any]:
    path = folder / _META
    text = reader.text(path)
    try:
        if len(text) > _MOST_META_CHARACTERS:
            raise ForeignPastError(f"{path}: larger than {_MOST_META_CHARACTERS >> 10} KiB")
        read = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ForeignPastError(f"{path}: is no YAML") from None
    if not isinstance(read, dict):
        raise ForeignPastError(f"{path}: is none of MLflow's files")
    return read


def _points(text: str, path: Path) -> list[Point]:
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.split()
        try:
            step = int(parts[2]) if len(parts) > 2 else 0
            found.append(Point(step, milliseconds(int(parts[0])), float(parts[1])))
        except (ValueError, IndexError):
            raise ForeignPastError(f"{path}, line {number}: is no value of MLflow's") from None
    return found
