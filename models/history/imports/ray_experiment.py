"""Ray Tune's experiment folders: a folder for each trial, with `params.json` and its reports.

The reports are `result.json` (a line of JSON each) or, where that is missing, `progress.csv`. The
score is the last report, as Ray's own `get_best_result` has it. Pickles are never opened.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from models.history.imports.bounded import Reader, files_below, folders_in, parse_json, read_each
from models.history.imports.foreign_past import (
    ForeignPast,
    ForeignPastError,
    ForeignTrial,
    Found,
    Wanted,
    passed_over,
)
from models.history.imports.scores import choose_direction, choose_metric, number_of
from models.history.imports.times import from_seconds, latest
from models.history.imports.values import flat, typed

_RAYS_OWN = {
    "checkpoint_dir_name", "config", "date", "done", "episodes_total", "experiment_id",
    "experiment_tag", "hostname", "iterations_since_restore", "logdir", "node_ip", "pid",
    "should_checkpoint", "time_since_restore", "time_this_iter_s", "time_total_s", "timestamp",
    "timesteps_since_restore", "timesteps_total", "training_iteration", "trial_id",
    "trial_log_path", "warmup_time",
}  # fmt: skip
"""Keys of a report that Ray adds itself."""

_GOING_ON = ("PENDING", "RUNNING", "PAUSED")
_IDENTITY = re.compile(r"[0-9a-f]{5,8}_[0-9]{5}")
"""Of a trial, in the name of its folder."""

_ITERATION = "training_iteration"
_TRIAL = "trial_id"

_Report = Mapping[str, object]


def is_experiment(folder: Path) -> bool:
    """Whether a folder looks like an experiment."""
    return any(_is_trial(each) for each in folders_in(folder))


def read_experiment(folder: Path, wanted: Wanted) -> list[Found]:
    """Reads an experiment.

    Raises:
        ForeignPastError: it cannot be read, or its score is in doubt.
    """
    reader, where = Reader(), str(folder)
    states = _states(reader, folder)
    found, notes = read_each(
        reader,
        [each for each in folders_in(folder) if _is_trial(each)],
        lambda each: _Trial(reader, each, states),
    )
    trials = list(found.values())
    ended = [trial for trial in trials if trial.state not in _GOING_ON]
    notes += passed_over(len(trials) - len(ended))
    figures = {name for trial in ended for name in trial.figures()}
    metric = choose_metric(sorted(figures), wanted, where)
    longest = max((len(trial.reports) for trial in ended), default=0)
    ended.sort(key=lambda trial: trial.began)
    past = ForeignPast(
        tuner="Ray Tune",
        name=folder.absolute().name,
        metric=metric,
        direction=choose_direction(metric, wanted, where),
        trials=[trial.read(metric, longest) for trial in ended],
        created=latest((from_seconds(trial.ended) for trial in ended), folder),
        notes=notes,
    )
    return [past]


class _Trial:
    """One trial's folder.

    Attributes:
        reports: in order.
        state: what Ray says of the trial; empty where it says nothing.
        began: what trials are ordered by: the time of the first report, then the folder's name.
        ended: seconds since 1970 of the last report; None without one.
    """

    def __init__(self, reader: Reader, folder: Path, states: Mapping[str, str]) -> None:
        parameters = reader.json(folder / "params.json")
        if not isinstance(parameters, dict):
            raise ForeignPastError(f"{folder / 'params.json'}: holds no parameters")
        self._values = flat(parameters)
        self._error = _error(reader, folder)
        self.reports = list(_reports(reader, folder))
        self.state = states.get(_identity(folder, self.reports), "")
        times = (each.get("timestamp") for each in self.reports)
        known = [time for time in map(number_of, times) if time is not None]
        self.began = (min(known, default=float("inf")), folder.name)
        self.ended = max(known, default=None)

    def figures(self) -> set[str]:
        """Names of the numbers that the trial reported."""
        return {
            name
            for report in self.reports
            for name in report
            if name not in _RAYS_OWN
            and not name.startswith("config/")
            and number_of(report[name]) is not None
        }

    def read(self, metric: str, longest: int) -> ForeignTrial:
        """The trial with one of its figures as its score."""
        told = [each for each in self.reports if number_of(each.get(metric)) is not None]
        scores = tuple(number_of(each.get(metric)) or 0.0 for each in told)
        seconds = tuple(number_of(each.get("time_this_iter_s")) or 0.0 for each in told)
        is_curve = [each.get(_ITERATION) for each in told] == list(range(1, len(told) + 1))
        took = number_of(self.reports[-1].get("time_total_s")) if self.reports else None
        # Ray leaves the error of a trial that it tried again, and that ended well.
        failed = not scores or (self._error is not None and self.state != "TERMINATED")
        return ForeignTrial(
            self._values,
            None if failed else scores[-1],
            scores=scores if is_curve else (),
            seconds=seconds if is_curve else (),
            took=took or 0.0,
            stopped=len(self.reports) < longest,
            message=(self._error or "it reported no score") if failed else "",
        )


def _is_trial(folder: Path) -> bool:
    kept = ("result.json", "progress.csv", "error.txt")
    return (folder / "params.json").is_file() and any((folder / name).is_file() for name in kept)


def _identity(folder: Path, reports: Sequence[_Report]) -> str:
    told = next((each[_TRIAL] for each in reports if each.get(_TRIAL)), None)
    named = _IDENTITY.search(folder.name)
    return str(told) if told else named[0] if named else ""


def _error(reader: Reader, folder: Path) -> str | None:
    path = folder / "error.txt"
    if not path.is_file():
        return None
    lines = reader.bytes(path).decode("utf-8", "replace").strip().splitlines()
    return lines[-1] if lines else "it failed"


def _reports(reader: Reader, folder: Path) -> Iterator[_Report]:
    path = folder / "result.json"
    if path.is_file() and path.stat().st_size:
        # The last line may be cut short where the experiment was killed.
        for number, line in enumerate(reader.text(path).split("\n")[:-1], start=1):
            report = parse_json(line, f"{path}, line {number}")
            if not isinstance(report, dict):
                raise ForeignPastError(f"{path}, line {number}: is no report of Ray Tune's")
            yield _kept({key: value for key, value in report.items() if key != "config"})
    elif (folder / "progress.csv").is_file():
        yield from _rows(reader.text(folder / "progress.csv"), str(folder / "progress.csv"))


def _kept(report: dict[str, object]) -> _Report:
    """What is looked at of a report: its numbers, and whose it is."""
    figures = {name: number_of(value) for name, value in flat(report).items()}
    kept = {name: value for name, value in figures.items() if value is not None}
    return {**kept, _TRIAL: report.get(_TRIAL)}


def _rows(text: str, where: str) -> list[_Report]:
    try:
        names, *rows = list(csv.reader(io.StringIO(text, newline=""))) or [[]]
    except csv.Error as error:
        raise ForeignPastError(f"{where}: {error}") from None
    whole = [row for row in rows if len(row) == len(names)]
    columns = [typed(column) for column in zip(*whole, strict=True)]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _states(reader: Reader, folder: Path) -> dict[str, str]:
    """What had become of each trial, by its identity, when Ray last looked."""
    kept = sorted(
        path
        for name, path in files_below(folder, depth=0)
        if name.startswith("experiment_state") and name.endswith(".json")
    )
    state = reader.json(kept[-1]) if kept else None
    listed = state.get("trial_data") if isinstance(state, dict) else None
    found = {}
    for entry in listed if isinstance(listed, list) else ():
        text = entry[0] if isinstance(entry, list) and entry else entry
        trial = parse_json(text, str(kept[-1])) if isinstance(text, str) else None
        if isinstance(trial, dict):
            found[str(trial.get(_TRIAL))] = str(trial.get("status"))
    return found
