"""MLflow's store in an SQLite file, `mlflow.db`, with all experiments in it."""

import math
from pathlib import Path

from models.history.imports.foreign_past import ForeignPastError, Found, Refused, Wanted
from models.history.imports.mlflow_runs import Point, Run, experiment_past, milliseconds
from models.history.imports.scores import choose_metric, number_of
from models.history.imports.sqlite_file import SqliteFile, as_text, opened

_TABLES = {"experiments", "runs", "metrics", "params"}
_MOST_EXPERIMENTS = 1000
_OF_EXPERIMENT = "JOIN runs USING (run_uuid) WHERE experiment_id = ? AND lifecycle_stage = 'active'"


def is_database(path: Path) -> bool:
    """Whether an SQLite file is of MLflow.

    Raises:
        ForeignPastError: it cannot be read.
    """
    with opened(path) as database:
        return database.tables.keys() >= _TABLES


def read_database(path: Path, wanted: Wanted) -> list[Found]:
    """Reads all experiments that have runs.

    Raises:
        ForeignPastError: it cannot be read, or is none of MLflow's.
    """
    with opened(path) as database:
        if not database.tables.keys() >= _TABLES:
            raise ForeignPastError(f"{path}: is no store of MLflow's")
        experiments = database.ask(
            f"SELECT experiment_id, {as_text('name')} FROM experiments WHERE experiment_id IN "
            "(SELECT experiment_id FROM runs WHERE lifecycle_stage = 'active') "
            f"AND lifecycle_stage = 'active' ORDER BY experiment_id LIMIT {_MOST_EXPERIMENTS + 1}"
        )
        if len(experiments) > _MOST_EXPERIMENTS:
            raise ForeignPastError(f"{path}: has more than {_MOST_EXPERIMENTS:,} experiments")
        return [_experiment(database, number, name, wanted) for number, name in experiments]


def _experiment(database: SqliteFile, number: int, name: str, wanted: Wanted) -> Found:
    try:
        figures = database.ask(
            f"SELECT DISTINCT {as_text('key')} FROM metrics {_OF_EXPERIMENT}", number
        )
        where = f"{database.path}, experiment {name!r}"
        metric = choose_metric([figure for (figure,) in figures], wanted, where)
        runs = _runs(database, number, metric)
        return experiment_past(name, metric, runs, wanted, database.path)
    except ForeignPastError as error:
        return Refused(name, str(error))


def _runs(database: SqliteFile, experiment: int, metric: str) -> list[Run]:
    parameters: dict[object, dict[str, str]] = {}
    for run, key, value in database.ask(
        f"SELECT run_uuid, {as_text('key')}, {as_text('value')} FROM params {_OF_EXPERIMENT} "
        "ORDER BY key",
        experiment,
    ):
        parameters.setdefault(run, {})[key] = value
    points: dict[object, list[Point]] = {}
    is_nan = "is_nan" if database.has_column("metrics", "is_nan") else "0"
    for run, step, time, value, nan in database.ask(
        f"SELECT run_uuid, step, timestamp, value, {is_nan} FROM metrics {_OF_EXPERIMENT} "
        "AND key = ?",
        experiment,
        metric,
    ):
        number = math.nan if nan else number_of(value)
        if number is not None and isinstance(step, int):
            points.setdefault(run, []).append(Point(step, milliseconds(time), number))
    return [
        Run(
            parameters=parameters.get(run, {}),
            points=points.get(run, ()),
            status=status,
            began=milliseconds(began),
            ended=milliseconds(ended),
        )
        for run, status, began, ended in database.ask(
            f"SELECT run_uuid, {as_text('status')}, start_time, end_time FROM runs "
            "WHERE experiment_id = ? AND lifecycle_stage = 'active' ORDER BY start_time, run_uuid",
            experiment,
        )
    ]
