"""Trials in the form in which Optuna takes them."""

from foreign_pasts import FOLDER
from histories import history, task

from models.history.imports.import_histories import import_histories
from models.history.optuna_export import best_first


def test_the_best_come_first_and_each_configuration_once() -> None:
    tried = history(task("a"), [0.5, None, 0.9, 0.7], rates=[1e-3, 1e-1, 1e-2, 1e-3])
    assert best_first(tried) == [{"rate": 1e-2}, {"rate": 1e-3}]


def test_the_best_of_a_loss_is_the_lowest() -> None:
    (tried,) = import_histories(FOLDER / "hyperopt_params.json").histories
    scores = {trial.values["learning_rate"]: trial.score or 0.0 for trial in tried.completed}
    exported = [scores[values["learning_rate"]] for values in best_first(tried)]
    assert exported == sorted(exported)
    assert len(exported) == 6


def test_names_are_turned_back_and_left_out() -> None:
    (tried,) = import_histories(FOLDER / "hyperopt_params.json").histories
    first = best_first(tried, {"learning_rate": "lr", "act": "", "absent": "x"})[0]
    assert first.keys() == {"lr", "layers", "units"}
