"""What holds for the pasts of all tuners."""

from pathlib import Path
from typing import Any

import pytest
from foreign_pasts import FOLDER, optuna_storage

from models.history.collection import collect
from models.history.imports import bounded
from models.history.imports.foreign_past import ForeignPastError
from models.history.imports.import_histories import Kind, import_histories, kind_of
from models.history.library import read_library
from models.history.past_search import PastSearch
from models.history.records import Header
from models.history.search_space import Choice, FloatRange
from models.history.tuning_history import history_bytes, parse_history, write_history


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("source", "metric"),
    [
        ("ray", "val_accuracy"),
        ("mlruns", "val_accuracy"),
        ("mlflow_runs.csv", "val_loss"),
        ("hyperopt_params.json", None),
        ("optuna_trials.csv", None),
    ],
)
def test_what_is_imported_is_a_valid_history_and_the_same_each_time(
    source: str, metric: str | None
) -> None:
    for history in import_histories(FOLDER / source, metric=metric).histories:
        assert parse_history(history_bytes(history), source) == history
        assert history.header.task is None
        (again,) = import_histories(FOLDER / source, metric=metric).histories
        assert history_bytes(again) == history_bytes(history)


def test_a_past_to_be_minimised_is_ranked_the_right_way_round() -> None:
    (history,) = import_histories(FOLDER / "hyperopt_params.json").histories
    past = PastSearch.from_history(history, "loss")
    assert past.task is None
    lowest = min(history.completed, key=lambda trial: trial.score or 0.0)
    assert past.values[int(past.scores.argmax())] == lowest.values
    assert history.best == lowest


def test_searches_of_graft_do_not_learn_from_it(tmp_path: Path) -> None:
    history = import_histories(optuna_storage(tmp_path / "study.db")).histories[0]
    write_history(tmp_path / "past" / "digits.jsonl", history)
    (entry,) = collect([("", tmp_path / "past")]).entries
    assert entry.subject == "other"
    assert read_library([("", tmp_path / "past")]).histories == ()


def test_two_pasts_in_one_space_are_two_and_a_copy_is_none(tmp_path: Path) -> None:
    for name, score in (("a", 0.1), ("b", 0.9), ("copy of b", 0.9)):
        path = table(tmp_path / f"{name}.csv", f"x,loss\n1,{score}\n2,{score}\n3,{score}\n")
        write_history(tmp_path / "past" / f"{name}.jsonl", import_histories(path).histories[0])
    found = collect([("", tmp_path / "past")])
    assert len(found.entries) == 2
    assert len(found.repeated) == 1
    assert found.skipped == ()


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("keras-tuner", "a project folder of Keras Tuner"),
        ("ray", "an experiment folder of Ray Tune"),
    ],
)
def test_a_folder_is_expected_where_one_is_read(tmp_path: Path, kind: Kind, expected: str) -> None:
    for source in (tmp_path, table(tmp_path / "runs.csv", "x,loss\n1,2\n")):
        with pytest.raises(ForeignPastError, match=f"not what --kind {kind} expects: {expected}"):
            import_histories(source, kind=kind)


@pytest.mark.parametrize("kind", ["optuna", "hyperopt", "csv"])
def test_a_file_is_expected_where_one_is_read(tmp_path: Path, kind: Kind) -> None:
    with pytest.raises(ForeignPastError, match=f"not what --kind {kind} expects: a"):
        import_histories(tmp_path, kind=kind)


def test_rates_below_zero_are_no_rates(tmp_path: Path) -> None:
    path = table(tmp_path / "runs.csv", "lr,loss\n-3,0.5\n-2,0.4\n")
    with pytest.raises(ForeignPastError, match="--map 'lr=log_rate'"):
        import_histories(path)
    (history,) = import_histories(path, names={"lr": "log_rate"}).histories
    assert history.trials[0].values == {"log_rate": -3}


def test_percentages_become_shares_with_their_curves(tmp_path: Path) -> None:
    path = optuna_storage(
        tmp_path / "study.db",
        "UPDATE trial_values SET value = value * 100",
        "UPDATE trial_intermediate_values SET intermediate_value = intermediate_value * 100",
    )
    imported = import_histories(path)
    first = imported.histories[0].trials[0]
    assert first.score == pytest.approx(0.922441991079399)
    assert first.reported is not None
    assert first.reported.scores[0] == pytest.approx(0.307480663693133)
    assert "digits: val_accuracy was a percentage; it was divided by 100." in imported.notes


def test_a_space_that_the_tuner_does_not_tell_is_what_was_tried(tmp_path: Path) -> None:
    text = "rate,act,norm,loss\n0.1,relu,True,1\n0.3,tanh,False,2\n"
    (history,) = import_histories(table(tmp_path / "runs.csv", text)).histories
    assert history.header.space.parameters == (
        FloatRange(name="rate", low=0.1, high=0.3),
        Choice(name="act", values=("relu", "tanh")),
        Choice(name="norm", values=(False, True)),
    )


def test_long_texts_are_passed_over_and_old_trials_left_out(tmp_path: Path) -> None:
    rows = "".join(f"{row},name{row},{row}\n" for row in range(1, 1200))
    imported = import_histories(table(tmp_path / "runs.csv", f"x,id2,loss\n{rows}"))
    assert [each.name for each in imported.histories[0].header.space.parameters] == ["x", "id2"]
    assert "Of 1,199 trials the newest 1,000 were taken." in imported.notes[1]
    longer = table(tmp_path / "long.csv", f"x,text,loss\n1,{'a' * 2000},1\n2,b,2\n")
    imported = import_histories(longer)
    assert imported.histories[0].trials[0].values == {"x": 1}
    assert "of one kind for each hyperparameter: text." in imported.notes[-1]
    only = table(tmp_path / "only.csv", f"text,loss\n{'a' * 2000},1\nb,2\n")
    with pytest.raises(ForeignPastError, match="no hyperparameters that can be kept"):
        import_histories(only)


def test_unknown_files_are_refused_with_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for content in ("", "nothing\n", '{"a": 1}', "[1, 2]", "def f(a, b):\n    return a\n"):
        table(tmp_path / "file.txt", content)
        assert kind_of(tmp_path / "file.txt") is None
        for path in (tmp_path / "file.txt", tmp_path / "empty"):
            with pytest.raises(ForeignPastError, match="no SQLite storage of Optuna"):
                import_histories(path)
    with pytest.raises(ForeignPastError, match="no such file"):
        import_histories(tmp_path / "absent")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"kind": "optun"}, "kind takes keras-tuner, optuna, .*; got 'optun'"),
        ({"direction": "up"}, "direction takes max, min; got 'up'"),
        ({"target": "learning_rate"}, r"list of names, such as \['learning_rate'\]"),
    ],
)
def test_a_word_that_is_none_of_those_known_is_refused(
    tmp_path: Path, asked: dict[str, Any], words: str
) -> None:
    table = tmp_path / "trials.csv"
    table.write_text("lr,val_accuracy\n0.1,0.5\n0.2,0.6\n")
    with pytest.raises(ForeignPastError, match=words):
        import_histories(table, **asked)


def test_a_journal_of_optunas_is_told_how_to_be_imported(tmp_path: Path) -> None:
    path = table(tmp_path / "journal.log", '{"op_code": 0, "worker_id": "1", "study_name": "a"}\n')
    with pytest.raises(ForeignPastError, match="copy_study"):
        import_histories(path)


@pytest.mark.parametrize("kind", ["keras-tuner", "optuna", "ray", "hyperopt", "mlflow", "csv"])
def test_what_is_forced_upon_a_reader_is_refused_or_empty(tmp_path: Path, kind: Any) -> None:
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "empty", table(tmp_path / "file", "\0\n"), tmp_path / "absent"):
        with pytest.raises(ForeignPastError):
            import_histories(path, kind=kind)


def test_more_than_the_bound_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sparse = tmp_path / "runs.csv"
    with sparse.open("wb") as file:
        file.write(b"x,loss\n1,2\n")
        file.truncate(10 * 2**30)
    with pytest.raises(ForeignPastError, match="larger than 64 MiB"):
        import_histories(sparse)
    sparse.write_bytes(b"SQLite format 3\0")
    with sparse.open("r+b") as file:
        file.truncate(10 * 2**30)
    with pytest.raises(ForeignPastError, match="larger than 1024 MiB"):
        import_histories(sparse)
    monkeypatch.setattr(bounded.Reader.__init__, "__defaults__", (1000,))
    with pytest.raises(ForeignPastError, match="of one past at most 256 MiB are read"):
        import_histories(FOLDER / "ray", metric="val_accuracy")


def test_a_header_has_a_task_unless_another_tuner_searched() -> None:
    (history,) = import_histories(FOLDER / "hyperopt_params.json").histories
    told = history.header.model_dump()
    own = {"algorithm": "warm", "seed": 1, "epochs": 3, "patience": 2, "class_weights": "none"}
    with pytest.raises(ValueError, match="has a task"):
        Header.model_validate({**told, "search": {**own, "metric": "accuracy"}})
