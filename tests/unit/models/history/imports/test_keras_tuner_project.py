"""Projects that Keras Tuner makes here."""

import json
import shutil
from pathlib import Path
from typing import Any

import keras_tuner
import pytest
from foreign_pasts import keras_tuner_project

from models.history.imports.foreign_past import ForeignPastError
from models.history.imports.import_histories import import_histories, kind_of
from models.history.search_space import Choice, FloatRange


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return keras_tuner_project(tmp_path_factory.mktemp("projects") / "digits")


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "digits"))


def change(path: Path, **changes: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_a_project_becomes_a_history_with_its_space(project: Path) -> None:
    assert kind_of(project) == "keras-tuner"
    (history,) = import_histories(project).histories
    assert history.header.name == "digits"
    assert history.header.search.algorithm == "Keras Tuner"
    assert (history.header.search.metric, history.header.search.direction) == (
        "val_accuracy",
        "max",
    )
    assert history.header.space.parameters == (
        FloatRange(name="learning_rate", low=1e-5, high=1e-1, scale="log"),
        Choice(name="units", values=tuple(range(8, 129, 8))),
        Choice(name="norm", values=(False, True)),
        Choice(name="classes", values=(10,)),
        Choice(name="act", values=("relu", "tanh")),
        FloatRange(name="gain", low=0.0, high=1.0),
    )


def test_values_and_scores_are_those_of_the_oracle(project: Path) -> None:
    (history,) = import_histories(project, target=["lr"]).histories
    tuner = keras_tuner.RandomSearch(
        objective=keras_tuner.Objective("val_accuracy", "max"),
        directory=str(project.parent),
        project_name=project.name,
        hypermodel=lambda _: None,
    )
    tuner.reload()
    trials = [tuner.oracle.trials[name] for name in tuner.oracle.start_order]
    assert [trial.values for trial in history.trials] == [
        trial.hyperparameters.values for trial in trials
    ]
    assert [trial.score for trial in history.trials] == [trial.score for trial in trials]
    failed = [trial for trial in history.trials if trial.status == "failed"]
    assert len(failed) == 2
    assert {trial.message for trial in failed} == {"ValueError: out of memory"}


def test_a_loss_stays_one(tmp_path: Path) -> None:
    project = keras_tuner_project(tmp_path / "loss", "val_loss")
    (history,) = import_histories(project).histories
    assert (history.header.search.metric, history.header.search.direction) == ("val_loss", "min")
    assert history.best is not None
    assert history.best.score == min(trial.score or 9 for trial in history.completed)


def test_another_figure_may_be_the_score(project: Path) -> None:
    (history,) = import_histories(project, metric="val_loss").histories
    assert history.header.search.direction == "min"
    with pytest.raises(ForeignPastError, match="has no figure 'val_los'; it has val_accuracy"):
        import_histories(project, metric="val_los")


def test_of_mixed_objectives_one_has_to_be_named(project: Path) -> None:
    for path in project.glob("trial_*/trial.json"):
        change(path, score=-0.25)
    with pytest.raises(ForeignPastError, match="any of val_accuracy, val_loss may be the score"):
        import_histories(project)


def test_trials_that_had_not_ended_are_passed_over(project: Path) -> None:
    change(project / "trial_0" / "trial.json", status="RUNNING", score=None)
    imported = import_histories(project)
    assert len(imported.histories[0].trials) == 5
    assert imported.notes == ("digits: 1 trials that had not ended were passed over.",)


def test_trials_of_hyperband_that_were_trained_less_count_as_stopped(project: Path) -> None:
    for path in project.glob("trial_*/trial.json"):
        kept = json.loads(path.read_text())["hyperparameters"]
        epochs = 2 if path.parent.name == "trial_0" else 6
        values = {**kept["values"], "tuner/epochs": epochs, "tuner/trial_id": "3"}
        change(path, hyperparameters={**kept, "values": values})
    (history,) = import_histories(project).histories
    stopped = [trial.reported.stopped for trial in history.completed if trial.reported]
    assert stopped == [True, False, False, False]
    assert not any(name.startswith("tuner/") for name in history.trials[0].values)


def test_figures_of_each_epoch_are_a_curve(project: Path) -> None:
    seen = [{"value": [0.4, 0.6], "step": 1}, {"value": [0.3], "step": 0}]
    figures = {"val_accuracy": {"direction": "max", "observations": seen}}
    change(project / "trial_0" / "trial.json", metrics={"metrics": figures}, score=0.5)
    (history,) = import_histories(project).histories
    assert history.trials[0].score == 0.5
    assert history.trials[0].reported is not None
    assert history.trials[0].reported.scores == (0.3, 0.5)


def test_without_the_oracles_file_the_trials_are_enough(project: Path) -> None:
    (project / "oracle.json").unlink()
    (history,) = import_histories(project).histories
    assert len(history.completed) == 4
    assert history.header.space.parameters[0].kind == "float"


def test_a_project_of_failures_has_nothing_to_learn_from(project: Path) -> None:
    for number in (0, 1, 2, 5):
        shutil.rmtree(project / f"trial_{number}")
    with pytest.raises(ForeignPastError, match="has no score"):
        import_histories(project)


@pytest.mark.parametrize("content", ["", "[]", "{", "[" * 100_000, '{"status": "COMPLETED"}'])
def test_damaged_trials_are_refused(project: Path, content: str) -> None:
    for path in project.glob("trial_*/trial.json"):
        path.write_text(content)
    with pytest.raises(ForeignPastError):
        import_histories(project)


def test_what_a_kill_left_half_written_costs_itself_alone(project: Path) -> None:
    (project / "trial_0" / "trial.json").write_text("")
    (project / "trial_1" / "trial.json").unlink()
    (project / "oracle.json").write_text('{"')
    imported = import_histories(project)
    assert len(imported.histories[0].trials) == 4
    (note,) = imported.notes
    assert note.startswith("digits: 2 trials were passed over, such as ")
    assert note.endswith("trial_0/trial.json: is no JSON, or was cut short.")


def test_nothing_of_a_hostile_project_is_believed(project: Path) -> None:
    space = [
        {"class_name": "Int", "config": {"name": "lr", "min_value": 0, "max_value": 10**400}},
        {"class_name": "Float", "config": {"name": "units", "min_value": "a", "max_value": []}},
        {"class_name": "Choice", "config": {"name": [], "values": {}}},
        {"class_name": {}, "config": 3},
        7,
    ]
    for path in project.rglob("*.json"):
        kept = json.loads(path.read_text()).get("hyperparameters", {})
        change(path, hyperparameters={**kept, "space": space}, start_order=[[], {}, "0"])
    (history,) = import_histories(project).histories
    assert history.header.space.parameters[0].kind == "float"
    assert len(history.completed) == 4
