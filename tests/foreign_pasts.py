"""Pasts of other tuners; `tests/foreign/README.md` tells how they were made."""

import sqlite3
from contextlib import closing
from pathlib import Path

import keras_tuner

FOLDER = Path(__file__).with_name("foreign")


def optuna_storage(path: Path, *more: str) -> Path:
    """Makes an SQLite storage of what Optuna wrote, then says `more` to it in SQL."""
    return _database(path, "optuna.sql", *more)


def mlflow_database(path: Path, *more: str) -> Path:
    """The same of what MLflow wrote."""
    return _database(path, "mlflow.sql", *more)


def _database(path: Path, dump: str, *more: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript((FOLDER / dump).read_text())
        for statement in more:
            connection.execute(statement)
        connection.commit()
    return path


class _Tuner(keras_tuner.RandomSearch):
    def run_trial(self, trial: keras_tuner.engine.trial.Trial) -> dict[str, float]:
        values = trial.hyperparameters
        rate = values.Float("lr", 1e-5, 1e-1, sampling="log")
        values.Int("units", 8, 128, step=8)
        values.Boolean("norm")
        values.Fixed("classes", 10)
        if values.Choice("act", ["relu", "tanh"]) == "tanh":
            with values.conditional_scope("act", ["tanh"]):
                values.Float("gain", 0.0, 1.0)
        if trial.trial_id in ("3", "4"):
            raise ValueError("out of memory")
        return {"val_accuracy": rate * 5, "val_loss": 1.0 - rate}


def keras_tuner_project(folder: Path, objective: str = "val_accuracy", trials: int = 6) -> Path:
    """Searches with Keras Tuner; the trials 3 and 4 raise an error."""
    direction = "max" if objective == "val_accuracy" else "min"
    tuner = _Tuner(
        objective=keras_tuner.Objective(objective, direction),
        max_trials=trials,
        directory=str(folder.parent),
        project_name=folder.name,
        seed=3,
        max_consecutive_failed_trials=trials,
    )
    tuner.search()
    return folder
