"""MLflow's file store, `mlruns/`: a folder for each experiment, in it one for each run."""

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from models.history.imports.bounded import Reader, files_below, folders_in
from models.history.imports.foreign_past import (
    ForeignPast,
    ForeignPastError,
    ForeignTrial,
    Found,
    Refused,
    Wanted,
)
from models.history.imports.scores import choose_direction, choose_metric
from models.history.imports.times import from_seconds, latest
from models.history.imports.values import typed
from models.history.search_space import Value

_META = "meta.yaml"
_FINISHED, _FAILED, _KILLED = 3, 4, 5
_MOST_META_BYTES = 2**16

_Points = list[tuple[int, int, float]]
"""Step, milliseconds since 1970 and value, by their order."""


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
        return _read_experiment(reader, folder, name, wanted)
    except ForeignPastError as error:
        return Refused(name, str(error))


def _read_experiment(reader: Reader, folder: Path, name: str, wanted: Wanted) -> Found:
    where = f"{folder}, experiment {name!r}"
    runs = [_Run(reader, each) for each in _runs(folder)]
    runs = sorted((run for run in runs if run.is_active), key=lambda run: run.began)
    metric = choose_metric([each for run in runs for each in run.points], wanted, where)
    ended = [run for run in runs if run.is_failed or (run.is_finished and metric in run.points)]
    notes = []
    if len(ended) < len(runs):
        count = len(runs) - len(ended)
        notes.append(f"{count} runs that had not ended or have no {metric} were passed over.")
    values = _typed([run.parameters for run in ended])
    return ForeignPast(
        tuner="MLflow",
        name=name,
        metric=metric,
        direction=choose_direction(metric, wanted, where),
        trials=[run.trial(each, metric) for run, each in zip(ended, values, strict=True)],
        created=latest((from_seconds(run.ended / 1000) for run in ended), folder),
        notes=notes,
    )


class _Run:
    """One run's folder.

    Attributes:
        parameters: text, by name.
        points: of each metric.
        began: milliseconds since 1970; 0 where not known.
        ended: the same.
    """

    def __init__(self, reader: Reader, folder: Path) -> None:
        meta = _meta(reader, folder)
        self._status = meta.get("status")
        self.is_active = meta.get("lifecycle_stage") == "active"
        self.began, self.ended = (_whole(meta.get(key)) for key in ("start_time", "end_time"))
        self.parameters = {name: reader.text(path) for name, path in files_below(folder / "params")}
        self.points = {
            name: points
            for name, path in files_below(folder / "metrics")
            if (points := _points(reader.text(path), path))
        }

    @property
    def is_finished(self) -> bool:
        """Whether the run ended well."""
        return self._status in (_FINISHED, "FINISHED")

    @property
    def is_failed(self) -> bool:
        """Whether the run ended otherwise."""
        return self._status in (_FAILED, _KILLED, "FAILED", "KILLED")

    def trial(self, values: Mapping[str, Value | None], metric: str) -> ForeignTrial:
        """The run as a trial; the score is the last value, as MLflow shows it."""
        points = self.points.get(metric, [])
        steps = [step for step, _, _ in points]
        is_curve = len(points) > 1 and steps in (
            list(range(len(steps))),
            list(range(1, len(steps) + 1)),
        )
        times = [self.began, *(time for _, time, _ in points)]
        gaps = [(after - before) / 1000 for before, after in itertools.pairwise(times)]
        return ForeignTrial(
            values,
            points[-1][2] if points and self.is_finished else None,
            scores=tuple(value for _, _, value in points) if is_curve else (),
            seconds=tuple(gaps) if is_curve and self.began else (),
            took=max(self.ended - self.began, 0) / 1000 if self.began and self.ended else 0.0,
            message="" if self.is_finished else "MLflow has it as failed or killed",
        )


def _meta(reader: Reader, folder: Path) -> dict[str, Any]:
    path = folder / _META
    text = reader.text(path)
    try:
        if len(text) > _MOST_META_BYTES:
            raise ForeignPastError(f"{path}: larger than {_MOST_META_BYTES >> 10} KiB")
        read = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError):
        raise ForeignPastError(f"{path}: is no YAML") from None
    if not isinstance(read, dict):
        raise ForeignPastError(f"{path}: is none of MLflow's files")
    return read


def _points(text: str, path: Path) -> _Points:
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        parts = line.split()
        try:
            step = int(parts[2]) if len(parts) > 2 else 0
            found.append((step, _whole(int(parts[0])), float(parts[1])))
        except (ValueError, IndexError):
            raise ForeignPastError(f"{path}, line {number}: is no value of MLflow's") from None
    return sorted(found, key=lambda point: point[:2])


def _typed(parameters: list[dict[str, str]]) -> list[dict[str, Value | None]]:
    """The text of each parameter as numbers or truth values where all its runs have such."""
    names = list(dict.fromkeys(name for each in parameters for name in each))
    columns = {name: typed([each.get(name, "") for each in parameters]) for name in names}
    return [{name: columns[name][row] for name in names} for row in range(len(parameters))]


def _whole(value: object) -> int:
    """A time in milliseconds; 0 for what can be none."""
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if isinstance(value, int) and is_whole and 0 <= value < 10**15 else 0
