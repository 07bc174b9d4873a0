"""An experiment that Ray Tune left."""

import json
import shutil
from pathlib import Path

import pytest
from foreign_pasts import FOLDER

from models.history.imports.foreign_past import ForeignPastError
from models.history.imports.import_histories import import_histories, kind_of
from models.history.tuning_history import TuningHistory


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER / "ray", tmp_path / "digits"))


def read(experiment: Path) -> TuningHistory:
    (history,) = import_histories(experiment, metric="val_accuracy").histories
    return history


def test_an_experiment_becomes_a_history(experiment: Path) -> None:
    assert kind_of(experiment) == "ray"
    history = read(experiment)
    assert history.header.name == "digits"
    assert history.header.search.direction == "max"
    assert history.header.created == "2026-11-28T16:04:56+00:00"
    assert [trial.score for trial in history.completed] == [0.6, 0.8, 1.0, 0.8]
    first = history.trials[0]
    assert first.values == {
        "bn": True,
        "learning_rate": 1e-5,
        "model/act": "relu",
        "model/units": 16,
    }
    assert first.seconds == 0.2034602165222168


def test_curves_have_the_seconds_of_each_epoch(experiment: Path) -> None:
    reported = read(experiment).trials[0].reported
    assert reported is not None
    assert reported.scores == (0.15, 0.3, 0.44999999999999996, 0.6)
    assert reported.seconds[0] == 0.05124235153198242
    assert len(reported.seconds) == 4


def test_a_table_of_reports_stands_in_for_their_lines(experiment: Path) -> None:
    (only_table,) = (each.parent for each in experiment.glob("*/progress.csv"))
    assert not (only_table / "result.json").exists()
    second = read(experiment).trials[1]
    assert (second.score, second.seconds) == (0.8, 0.20342564582824707)
    assert second.reported is not None
    assert len(second.reported.seconds) == 4


def test_what_raised_is_a_failure_unless_it_was_tried_again(experiment: Path) -> None:
    failed = read(experiment).trials[-1]
    assert (failed.status, failed.message) == ("failed", "ValueError: diverged")
    # Ray leaves the error of the first try.
    good = next(experiment.glob("*_00002_*"))
    (good / "error.txt").write_text("RayOutOfMemoryError")
    assert read(experiment).trials[2].score == 1.0


def test_trials_that_had_not_ended_are_passed_over(experiment: Path) -> None:
    (state,) = experiment.glob("experiment_state*")
    state.write_text(state.read_text().replace("TERMINATED", "RUNNING", 1))
    imported = import_histories(experiment, metric="val_accuracy")
    assert len(imported.histories[0].trials) == 4
    assert "digits: 1 trials that had not ended were passed over." in imported.notes


def test_a_trial_with_fewer_reports_counts_as_stopped(experiment: Path) -> None:
    path = next(experiment.glob("*_00000_*")) / "result.json"
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    trials = read(experiment).completed
    assert [trial.reported and trial.reported.stopped for trial in trials] == [
        True,
        False,
        False,
        False,
    ]
    assert trials[0].score == 0.3


def test_a_line_that_was_cut_short_is_not_read(experiment: Path) -> None:
    path = next(experiment.glob("*_00000_*")) / "result.json"
    path.write_text(path.read_text()[:-10])
    assert read(experiment).trials[0].score == 0.44999999999999996


def test_lists_are_passed_over_and_told_of(experiment: Path) -> None:
    imported = import_histories(experiment, metric="val_accuracy")
    assert "of one kind for each hyperparameter: layers." in imported.notes[0]
    left_out = import_histories(experiment, metric="val_accuracy", names={"layers": ""})
    assert left_out.notes == ()


def test_several_figures_have_to_be_told_apart(experiment: Path) -> None:
    with pytest.raises(ForeignPastError, match="any of loss, val_accuracy may be the score"):
        import_histories(experiment)


def test_the_only_figure_is_the_score_and_its_direction_is_asked_for(experiment: Path) -> None:
    for path in experiment.glob("*/progress.csv"):
        shutil.rmtree(path.parent)
    for path in experiment.glob("*/result.json"):
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        kept = [{"score": each.pop("val_accuracy"), **each} for each in lines]
        path.write_text("".join(json.dumps({**each, "loss": None}) + "\n" for each in kept))
    with pytest.raises(ForeignPastError, match="whether a higher 'score' is better"):
        import_histories(experiment)
    (history,) = import_histories(experiment, direction="max").histories
    assert [trial.score for trial in history.completed] == [0.6, 1.0, 0.8]


@pytest.mark.parametrize("name", ["params.json", "result.json"])
@pytest.mark.parametrize("content", ["[]\n", "7\n", "{\n", "[" * 100_000 + "\n"])
def test_a_damaged_trial_costs_itself_alone(experiment: Path, name: str, content: str) -> None:
    whole = import_histories(experiment, metric="val_accuracy")
    (next(experiment.glob("*_00000_*")) / name).write_text(content)
    imported = import_histories(experiment, metric="val_accuracy")
    assert len(imported.histories[0].trials) == len(whole.histories[0].trials) - 1
    (note,) = set(imported.notes) - set(whole.notes)
    assert note.startswith("digits: A trial was passed over: ")
    assert name in note


def test_an_experiment_of_damaged_trials_is_refused(experiment: Path) -> None:
    for path in experiment.glob("*/params.json"):
        path.write_text("")
    with pytest.raises(ForeignPastError, match=r"params\.json: is no JSON"):
        read(experiment)
