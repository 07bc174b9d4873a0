"""Tables of trials: MLflow's, Optuna's, and any other."""

from pathlib import Path

import pytest
from foreign_pasts import FOLDER, optuna_storage

from models.history.imports.foreign_past import ForeignPastError
from models.history.imports.import_histories import import_histories, kind_of

TABLE = """lr,act,epochs,val_accuracy,train_loss,trial
0.001,relu,10,0.91,0.2,a
0.01,tanh,10,0.85,0.3,b
0.1,relu,20,,9.0,c
"""


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def test_the_table_of_mlflow_agrees_with_its_store() -> None:
    (table,) = import_histories(FOLDER / "mlflow_runs.csv", metric="val_accuracy").histories
    (store,) = import_histories(FOLDER / "mlruns", metric="val_accuracy").histories
    assert table.header.search == store.header.search
    assert table.header.created == store.header.created
    by_rate = {trial.values["learning_rate"]: trial for trial in table.trials}
    for trial in store.trials:
        same = by_rate[trial.values["learning_rate"]]
        assert (same.values, same.score, same.status) == (trial.values, trial.score, trial.status)
        assert same.seconds == pytest.approx(trial.seconds)


def test_the_table_of_optuna_agrees_with_its_storage(tmp_path: Path) -> None:
    (table,) = import_histories(FOLDER / "optuna_trials.csv").histories
    storage = import_histories(optuna_storage(tmp_path / "study.db")).histories[0]
    assert table.header.search.direction == "max"
    assert [trial.values for trial in table.trials] == [trial.values for trial in storage.trials]
    assert [trial.score for trial in table.trials] == [trial.score for trial in storage.trials]
    assert [trial.status for trial in table.trials] == [trial.status for trial in storage.trials]
    stopped = [
        trial.order for trial in table.completed if trial.reported and trial.reported.stopped
    ]
    assert stopped == [6, 7, 10, 11]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_of_any_table_the_columns_are_told_apart(tmp_path: Path, delimiter: str) -> None:
    path = write(tmp_path / "runs.csv", "\ufeff" + TABLE.replace(",", delimiter))
    assert kind_of(path) == "csv"
    with pytest.raises(ForeignPastError, match="any of train_loss, val_accuracy may be"):
        import_histories(path)
    imported = import_histories(path, metric="val_accuracy")
    (history,) = imported.histories
    assert [trial.values for trial in history.trials] == [
        {"learning_rate": 0.001, "act": "relu", "epochs": 10},
        {"learning_rate": 0.01, "act": "tanh", "epochs": 10},
        {"learning_rate": 0.1, "act": "relu", "epochs": 20},
    ]
    assert [trial.score for trial in history.trials] == [0.91, 0.85, None]
    assert imported.notes == (
        "runs: The score is 'val_accuracy', the hyperparameters are lr, act, epochs.",
    )


def test_the_only_column_that_can_be_the_score_is(tmp_path: Path) -> None:
    path = write(tmp_path / "runs.csv", "rate,loss\n0.1,3.0\n0.2,inf\n")
    (history,) = import_histories(path).histories
    assert (history.header.search.metric, history.header.search.direction) == ("loss", "min")
    assert [trial.status for trial in history.trials] == ["completed", "failed"]
    none = write(tmp_path / "none.csv", "rate,loss\n0.1,mse\n0.2,mae\n")
    with pytest.raises(ForeignPastError, match="has no score"):
        import_histories(none)


def test_a_figure_or_bookkeeping_may_be_named_as_a_hyperparameter(tmp_path: Path) -> None:
    path = write(tmp_path / "runs.csv", TABLE)
    names = {"trial": "variant", "epochs": ""}
    (history,) = import_histories(path, metric="val_accuracy", names=names).histories
    assert history.trials[0].values == {"learning_rate": 0.001, "act": "relu", "variant": "a"}


def test_shares_in_per_cent_are_hundredths(tmp_path: Path) -> None:
    text = "lr,dropout,accuracy\n0.1,20%,91%\n0.2,,85 %\n0.3,5%,0.5%\n"
    (history,) = import_histories(write(tmp_path / "runs.csv", text)).histories
    assert [trial.score for trial in history.trials] == [0.91, 0.85, 0.005]
    assert [trial.values.get("dropout") for trial in history.trials] == [0.2, None, 0.05]


def test_decimals_after_a_comma_are_numbers(tmp_path: Path) -> None:
    text = "lr;units;accuracy\n0,001;64;91,5%\n1e-2;0,5;85%\n2,5E-3;1,024;100%\n"
    (history,) = import_histories(write(tmp_path / "runs.csv", text)).histories
    assert [trial.values["learning_rate"] for trial in history.trials] == [0.001, 0.01, 0.0025]
    assert [trial.values["units"] for trial in history.trials] == [64, 0.5, 1.024]
    assert [trial.score for trial in history.trials] == [0.915, 0.85, 1.0]


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_beside_points_a_comma_parts_no_decimals(tmp_path: Path, delimiter: str) -> None:
    rows = ["lr,layers,score", '0.1,"64,32",1', '0.2,"128,64",2']
    if delimiter == ";":
        rows = ["lr;layers;score", "0.1;64,32;1", "0.2;128,64;2"]
    path = write(tmp_path / "runs.csv", "\n".join(rows))
    (history,) = import_histories(path, direction="max").histories
    assert [trial.values["layers"] for trial in history.trials] == ["64,32", "128,64"]


@pytest.mark.parametrize(
    ("cells", "shown"),
    [
        (("1,024", "512"), "1,024"),
        (("20%", "0.3"), "20%"),
        (("64", "1 024"), "1 024"),
        (("0,5", "0.25"), "0,5"),
    ],
)
def test_a_hyperparameter_that_may_be_two_numbers_is_named(
    tmp_path: Path, cells: tuple[str, str], shown: str
) -> None:
    path = write(tmp_path / "runs.csv", 'x,loss\n"{}",1\n"{}",2\n'.format(*cells))
    with pytest.raises(ForeignPastError, match=f"'x' holds '{shown}', which may be more than one"):
        import_histories(path)


def test_one_that_may_be_two_numbers_may_be_left_out(tmp_path: Path) -> None:
    path = write(tmp_path / "runs.csv", 'x,lr,loss\n"1,024",1,1\n512,2,2\n')
    (history,) = import_histories(path, names={"x": ""}).histories
    assert [list(trial.values) for trial in history.trials] == [["learning_rate"]] * 2


def test_a_figure_whose_direction_is_in_doubt_is_no_hyperparameter(tmp_path: Path) -> None:
    path = write(tmp_path / "runs.csv", "lr,neg_loss,val_acc\n0.1,-0.3,0.9\n0.2,-0.5,0.8\n")
    with pytest.raises(ForeignPastError, match="any of neg_loss, val_acc may be the score"):
        import_histories(path)
    (history,) = import_histories(path, metric="val_acc").histories
    assert history.trials[0].values == {"learning_rate": 0.1}


def test_the_table_of_weights_and_biases_has_columns_of_its_own(tmp_path: Path) -> None:
    text = (
        "Name,Agent,State,Notes,User,Created,Runtime,Sweep,GPU Type,lr,group,_step,val_acc\n"
        "sunny-2,a1,finished,-,ann,2026-11-02T10:00:00.000Z,12,x9,T4,0.2,8,9,0.8\n"
        "sunny-1,a1,crashed,-,ann,2026-11-01T10:00:00.000Z,2,x9,T4,0.1,8,1,0.3\n"
    )
    imported = import_histories(write(tmp_path / "runs.csv", text), names={"group": "groups"})
    (history,) = imported.histories
    assert history.header.search.algorithm == "Weights & Biases"
    assert [(each.values, each.status) for each in history.trials] == [
        ({"learning_rate": 0.1, "groups": 8}, "failed"),
        ({"learning_rate": 0.2, "groups": 8}, "completed"),
    ]
    assert "the hyperparameters are lr, group." in imported.notes[0]


def test_states_tell_what_had_ended(tmp_path: Path) -> None:
    text = "x,loss,state\n1,0.5,COMPLETE\n2,0.4,RUNNING\n3,0.3,FAIL\n4,,COMPLETE\n5,0.9,PRUNED\n"
    imported = import_histories(write(tmp_path / "runs.csv", text))
    trials = imported.histories[0].trials
    assert [(each.values["x"], each.status) for each in trials] == [
        (1, "completed"),
        (3, "failed"),
        (5, "completed"),
    ]
    assert trials[1].message == "fail"
    assert "2 trials that had not ended or have no loss" in imported.notes[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "expected a table"),
        ("loss\n1\n", "expected a table"),
        ("x,loss\n", "expected a table"),
        ("x,loss\n1,2\n1\n", "row 3 has 1 cells"),
        ("x,x,loss\n1,2,3\n", "two columns are called 'x'"),
        (",number,value,params,params,state\n,,,lr,x,\n0,0,.5,.1,2,OK\n", "multi_index"),
        ("trial_id,x,loss\n7,1,2\n8,1,2\n7,1,1\n", "2 rows have '7' as 'trial_id'"),
        ('x,loss\n"' + "a" * 200_000 + '",1\n', "field larger"),
        (",".join(["x"] * 5000) + "\n1\n", "expected a table"),
        # Before Python 3.11 `csv` itself refuses this.
        ("x,loss\n\0,\0\n", "has no score|line contains NUL"),
        ("x,val_loss\n1,nan\n2,nan\n", "'val_loss' holds no finite number"),
        ("0.1,8,0.5\n0.2,9,0.6\n", "its first line, which names the columns, says '0.1', '8'"),
    ],
)
def test_what_is_no_table_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(ForeignPastError, match=reason):
        import_histories(write(tmp_path / "runs.csv", text), kind="csv")


def test_text_in_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes("größe,loss\n1,2\n".encode("latin-1"))
    with pytest.raises(ForeignPastError, match="no text in UTF-8"):
        import_histories(path)


def test_blank_lines_in_a_table_are_no_rows(tmp_path: Path) -> None:
    path = write(tmp_path / "runs.csv", "\n\n" + TABLE.replace("\n", "\n\n").replace(",", ";"))
    assert kind_of(path) == "csv"
    (history,) = import_histories(path, metric="val_accuracy").histories
    assert len(history.trials) == 3


@pytest.mark.parametrize("metric", [None, "val_accuracy"])
@pytest.mark.parametrize("cell", ["0,91", "91%", "error", "1,024"])
def test_a_score_that_is_text_is_named(tmp_path: Path, cell: str, metric: str | None) -> None:
    path = write(tmp_path / "runs.csv", f"lr;val_accuracy\n1;0.8\n2;{cell}\n")
    with pytest.raises(ForeignPastError, match=f"'val_accuracy' holds '{cell}'; expected numbers"):
        import_histories(path, metric=metric)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_a_byte_order_mark_says_the_encoding(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "runs.csv"
    path.write_bytes(TABLE.replace("relu", "größer").encode(encoding))
    assert kind_of(path) == "csv"
    (history,) = import_histories(path, metric="val_accuracy").histories
    assert [trial.values["act"] for trial in history.trials] == ["größer", "tanh", "größer"]
