"""A file store that MLflow left."""

import shutil
from pathlib import Path

import pytest
from foreign_pasts import FOLDER

from models.history.imports.foreign_past import ForeignPastError
from models.history.imports.import_histories import import_histories, kind_of


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER / "mlruns", tmp_path / "mlruns"))


def only_experiment(store: Path) -> Path:
    return store / "868693075031071137"


def run(store: Path, number: int) -> Path:
    """The runs by their names, of which the failed one is 3."""
    runs = (each for each in only_experiment(store).iterdir() if each.is_dir())
    (found,) = (each for each in runs if f"run_name: r{number}" in (each / "meta.yaml").read_text())
    return found


def test_an_experiment_becomes_a_history(store: Path) -> None:
    assert kind_of(store) == kind_of(only_experiment(store)) == "mlflow"
    (history,) = import_histories(store, metric="val_accuracy").histories
    assert history.header.name == "digits"
    assert history.header.created == "2026-11-28T16:04:28+00:00"
    assert [trial.score for trial in history.trials] == [
        0.8000000000000002,
        1.0,
        None,
        0.8954242509439325,
    ]
    assert [trial.values for trial in history.trials] == [
        {"act": "relu", "bn": True, "learning_rate": 1e-4},
        {"act": "tanh", "bn": False, "learning_rate": 1e-3},
        {"act": "relu", "bn": False, "learning_rate": 3e-2},
        {"act": "relu", "bn": False, "learning_rate": 3e-4},
    ]
    assert history.trials[2].message == "MLflow has it as failed or killed"
    one = import_histories(only_experiment(store), metric="val_accuracy").histories
    assert one == (history,)


def test_curves_have_the_seconds_between_their_points(store: Path) -> None:
    (history,) = import_histories(store, metric="val_accuracy").histories
    reported = history.trials[0].reported
    assert reported is not None
    assert reported.scores == (0.26666666666666666, 0.5333333333333333, 0.8000000000000002)
    assert reported.seconds == (0.033, 0.024, 0.024)
    assert history.trials[0].seconds == 0.084


def test_points_at_other_steps_are_no_curve(store: Path) -> None:
    path = run(store, 0) / "metrics" / "val_accuracy"
    path.write_text("1795881867645 0.2 10\n1795881867669 0.4 20\n")
    trial = import_histories(store, metric="val_accuracy").histories[0].trials[0]
    assert trial.score == 0.4
    assert trial.reported is not None
    assert trial.reported.scores == ()


def test_figures_with_a_slash_lie_deeper(store: Path) -> None:
    for number in (0, 1, 5):
        metrics = run(store, number) / "metrics"
        (metrics / "val").mkdir()
        (metrics / "val_accuracy").rename(metrics / "val" / "accuracy")
        (metrics / "val_loss").unlink()
    (history,) = import_histories(store).histories
    assert history.header.search.metric == "val/accuracy"
    assert len(history.completed) == 3


def test_deleted_and_running_runs_and_those_without_the_score_are_passed_over(
    store: Path,
) -> None:
    for number, old, new in ((0, "active", "deleted"), (1, "status: 3", "status: 1")):
        meta = run(store, number) / "meta.yaml"
        meta.write_text(meta.read_text().replace(old, new))
    imported = import_histories(store, metric="val_accuracy")
    assert [trial.status for trial in imported.histories[0].trials] == ["failed", "completed"]
    assert imported.notes == (
        "digits: 1 runs that had not ended or have no val_accuracy were passed over.",
    )


def test_several_experiments_are_read_apart(store: Path) -> None:
    other = Path(shutil.copytree(only_experiment(store), store / "7"))
    meta = other / "meta.yaml"
    meta.write_text(meta.read_text().replace("name: digits", "name: letters"))
    for path in other.glob("*/metrics/val_accuracy"):
        path.unlink()
    imported = import_histories(store, metric="val_accuracy")
    assert [history.header.name for history in imported.histories] == ["digits"]
    assert [each.name for each in imported.refused] == ["letters"]
    assert "has no figure 'val_accuracy'" in imported.refused[0].reason


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("meta.yaml", "[" * 10_000),
        ("meta.yaml", "a: b: c"),
        ("meta.yaml", "!!python/object/apply:os.getcwd []"),
        ("meta.yaml", "x: " + "y" * 100_000),
        ("metrics/val_accuracy", "now good 0\n"),
        ("metrics/val_accuracy", "17958818676459 0.5 " + "9" * 5000),
        ("params/lr", "\ud800"),
    ],
)
def test_a_damaged_run_costs_itself_alone(store: Path, name: str, content: str) -> None:
    whole = import_histories(store, metric="val_accuracy")
    (run(store, 0) / name).write_bytes(content.encode("utf-8", "surrogatepass"))
    imported = import_histories(store, metric="val_accuracy")
    assert imported.histories[0].trials[0].values == whole.histories[0].trials[1].values
    assert len(imported.histories[0].trials) == 3
    (note,) = set(imported.notes) - set(whole.notes)
    assert note.startswith("digits: A trial was passed over: ")
    assert name in note


def test_an_experiment_of_damaged_runs_is_refused(store: Path) -> None:
    for path in only_experiment(store).glob("*/meta.yaml"):
        path.write_text("")
    with pytest.raises(ForeignPastError, match="is none of MLflow's files"):
        import_histories(store, metric="val_accuracy")
