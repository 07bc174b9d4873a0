"""An SQLite store that MLflow left."""

from pathlib import Path

import pytest
from foreign_pasts import FOLDER, mlflow_database, optuna_storage

from models.history.imports.foreign_past import ForeignPastError
from models.history.imports.import_histories import import_histories, kind_of


def test_a_database_agrees_with_the_table_of_the_same_search(tmp_path: Path) -> None:
    path = mlflow_database(tmp_path / "mlflow.db")
    assert kind_of(path) == "mlflow"
    (history,) = import_histories(path, metric="val_accuracy").histories
    (table,) = import_histories(FOLDER / "mlflow_runs.csv", metric="val_accuracy").histories
    assert history.header.name == "digits"
    assert history.header.search == table.header.search
    assert [(trial.values, trial.score) for trial in history.trials] == [
        (trial.values, trial.score) for trial in table.trials
    ]


def test_curves_have_the_seconds_between_their_points(tmp_path: Path) -> None:
    path = mlflow_database(
        tmp_path / "mlflow.db",
        "UPDATE metrics SET timestamp = 500 * (step + 1) + "
        "(SELECT start_time FROM runs WHERE runs.run_uuid = metrics.run_uuid)",
    )
    (history,) = import_histories(path, metric="val_accuracy").histories
    reported = history.trials[0].reported
    assert reported is not None
    assert reported.scores == (0.26666666666666666, 0.5333333333333333, 0.8000000000000002)
    assert reported.seconds == (0.5, 0.5, 0.5)


def test_deleted_runs_and_scores_that_are_no_numbers_do_not_count(tmp_path: Path) -> None:
    path = mlflow_database(
        tmp_path / "mlflow.db",
        "UPDATE runs SET lifecycle_stage = 'deleted' WHERE name = 'r0'",
        "UPDATE runs SET status = 'RUNNING' WHERE name = 'r1'",
        "UPDATE metrics SET value = 0, is_nan = 1 WHERE step = 2 AND run_uuid = "
        "(SELECT run_uuid FROM runs WHERE name = 'r2')",
    )
    imported = import_histories(path, metric="val_accuracy")
    statuses = [trial.status for trial in imported.histories[0].trials]
    assert statuses == ["failed", "failed", "completed", "completed"]
    assert imported.histories[0].trials[0].message == "its score is no finite number"
    assert "digits: 1 runs that had not ended" in imported.notes[0]


def test_an_experiment_without_the_score_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(ForeignPastError, match="any of val_accuracy, val_loss may be the score"):
        import_histories(mlflow_database(tmp_path / "mlflow.db"))


def test_another_database_is_none_of_mlflows(tmp_path: Path) -> None:
    with pytest.raises(ForeignPastError, match="is no store of MLflow's"):
        import_histories(optuna_storage(tmp_path / "study.db"), kind="mlflow")
    with pytest.raises(ForeignPastError, match="is no storage of Optuna's"):
        import_histories(mlflow_database(tmp_path / "mlflow.db"), kind="optuna")


def test_what_is_written_over_with_other_types_is_no_number(tmp_path: Path) -> None:
    path = mlflow_database(
        tmp_path / "mlflow.db",
        "UPDATE runs SET start_time = 'x', end_time = X'ff' WHERE name = 'r0'",
        "UPDATE metrics SET step = 'x', timestamp = 1.5, value = 'x' WHERE step = 1",
        "UPDATE params SET value = X'ff' WHERE key = 'act'",
    )
    (history,) = import_histories(path, metric="val_accuracy").histories
    first = next(trial for trial in history.trials if trial.values["learning_rate"] == 1e-4)
    assert (first.seconds, first.score) == (0.0, 0.8000000000000002)
    assert first.reported is not None
    assert first.reported.scores == ()
