"""A storage that Optuna wrote, and others that nobody should."""

from pathlib import Path

import pytest
from foreign_pasts import optuna_storage

from models.history.imports.foreign_past import ForeignPastError
from models.history.imports.import_histories import import_histories, kind_of


def test_every_study_with_one_objective_becomes_a_history(tmp_path: Path) -> None:
    path = optuna_storage(tmp_path / "study.db")
    assert kind_of(path) == "optuna"
    imported = import_histories(path)
    digits, loss = imported.histories
    assert (digits.header.name, digits.header.search.metric) == ("digits", "val_accuracy")
    assert (loss.header.name, loss.header.search.direction) == ("loss", "min")
    assert digits.header.versions == {"optuna": "5.0.0"}
    assert digits.header.created == "2026-11-28T16:04:21+00:00"
    reasons = {each.name: each.reason for each in imported.refused}
    assert "has 2 objectives" in reasons["two"]
    assert "nothing to learn from" in reasons["empty"]
    assert "nothing to learn from" in reasons["stuck"]


def test_trials_keep_their_values_scores_curves_and_times(tmp_path: Path) -> None:
    history = import_histories(optuna_storage(tmp_path / "study.db")).histories[0]
    first = history.trials[0]
    assert first.values == {
        "learning_rate": 0.00046568046379195655,
        "units": 96,
        "act": "tanh",
        "bn": True,
        "dropout": 0.11175612682660253,
    }
    assert first.score == 0.922441991079399
    assert first.seconds == pytest.approx(0.096641)
    assert first.reported is not None
    assert first.reported.scores == (0.307480663693133, 0.614961327386266, 0.922441991079399)
    assert first.reported.seconds == ()
    units = history.header.space.parameters[1]
    assert (units.kind, units.name) == ("choice", "units")
    assert not units.contains(97)


def test_pruned_trials_count_with_what_they_had_reached_and_failed_ones_do_not(
    tmp_path: Path,
) -> None:
    history = import_histories(optuna_storage(tmp_path / "study.db")).histories[0]
    stopped = [trial for trial in history.completed if trial.reported and trial.reported.stopped]
    assert [trial.order for trial in stopped] == [6, 7, 10, 11]
    assert all(each.reported and each.score == each.reported.scores[-1] for each in stopped)
    failed = [trial for trial in history.trials if trial.status == "failed"]
    assert [trial.order for trial in failed] == [3, 4]
    assert {trial.message for trial in failed} == {"Optuna has it as FAIL"}


def test_a_storage_is_left_as_it_was(tmp_path: Path) -> None:
    path = optuna_storage(tmp_path / "study #1%?.db")
    before = path.read_bytes()
    import_histories(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_trials_that_go_on_are_passed_over_and_told_of(tmp_path: Path) -> None:
    path = optuna_storage(
        tmp_path / "study.db", "UPDATE trials SET state = 'RUNNING' WHERE trial_id = 1"
    )
    imported = import_histories(path)
    assert len(imported.histories[0].trials) == 11
    assert imported.notes == ("digits: 1 trials that had not ended were passed over.",)


def test_an_infinite_score_is_a_failure_and_its_report_no_curve(tmp_path: Path) -> None:
    path = optuna_storage(
        tmp_path / "study.db",
        "UPDATE trial_values SET value = NULL, value_type = 'INF_POS' WHERE trial_id = 1",
        "UPDATE trial_intermediate_values SET step = step * 10 WHERE trial_id = 2",
    )
    first, second = import_histories(path).histories[0].trials[:2]
    assert (first.status, first.message) == ("failed", "its score is no finite number")
    assert second.reported is not None
    assert second.reported.scores == ()


def test_older_forms_of_ranges_and_scores_are_read(tmp_path: Path) -> None:
    path = optuna_storage(
        tmp_path / "study.db",
        "UPDATE trial_params SET distribution_json = "
        '\'{"name": "LogUniformDistribution", "attributes": {"low": 1e-05, "high": 0.1}}\' '
        "WHERE param_name = 'lr'",
        "UPDATE trial_params SET distribution_json = "
        '\'{"name": "IntUniformDistribution", "attributes": {"low": 8, "high": 128, "step": 8}}\' '
        "WHERE param_name = 'units'",
        "ALTER TABLE trial_values RENAME COLUMN value_type TO kind",
    )
    history = import_histories(path).histories[0]
    rate, units = history.header.space.parameters[:2]
    assert rate.kind == "float"
    assert (rate.low, rate.high, rate.scale) == (1e-5, 0.1, "log")
    assert units.kind == "choice"
    assert history.trials[0].values["units"] == 96
    assert history.trials[0].score == 0.922441991079399


def test_more_trials_than_a_history_holds_are_cut_to_the_newest(tmp_path: Path) -> None:
    path = optuna_storage(
        tmp_path / "study.db",
        "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 1299) "
        "INSERT INTO trials SELECT i, i, 2, 'COMPLETE', NULL, NULL FROM n",
        "INSERT INTO trial_values SELECT trial_id, trial_id, 0, trial_id, 'FINITE' FROM trials "
        "WHERE trial_id >= 100",
        "INSERT INTO trial_params SELECT trial_id, trial_id, 'x', 0.5, "
        '\'{"name": "FloatDistribution", "attributes": {"low": -1, "high": 1}}\' '
        "FROM trials WHERE trial_id >= 100",
    )
    imported = import_histories(path)
    loss = imported.histories[1]
    assert len(loss.trials) == 1000
    assert loss.trials[-1].score == 1299
    assert "loss: Of 1,206 trials the newest 1,000 were taken." in imported.notes


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("DROP TABLE trial_params", "is no storage of Optuna's"),
        ("UPDATE trial_params SET distribution_json = '['", "is no JSON"),
        ("UPDATE trial_params SET distribution_json = NULL", "is no JSON"),
        ("UPDATE trial_params SET distribution_json = '[]'", "none of Optuna's distributions"),
        (
            "UPDATE trial_params SET param_name = param_name || ' b'",
            "cannot be the name of a hyperparameter",
        ),
        ("UPDATE study_directions SET direction = 'NOT_SET'", "see --direction"),
    ],
)
def test_what_is_no_storage_is_refused(tmp_path: Path, statement: str, reason: str) -> None:
    path = optuna_storage(tmp_path / "study.db", statement)
    with pytest.raises(ForeignPastError, match=reason):
        import_histories(path)


def test_a_view_in_the_place_of_a_table_is_not_run(tmp_path: Path) -> None:
    path = optuna_storage(
        tmp_path / "study.db",
        "DROP TABLE trial_values",
        "CREATE VIEW trial_values AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i FROM n) "
        "SELECT i AS trial_id, i AS value, 'FINITE' AS value_type FROM n",
    )
    with pytest.raises(ForeignPastError, match="is no storage of Optuna's"):
        import_histories(path)


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = optuna_storage(tmp_path / "study.db")
    content = path.read_bytes()
    path.write_bytes(content[:20000] + b"\xff" * 40000 + content[60000:])
    with pytest.raises(ForeignPastError):
        import_histories(path)


def test_a_name_need_not_be_in_every_study_to_be_changed(tmp_path: Path) -> None:
    path = optuna_storage(tmp_path / "study.db")
    imported = import_histories(path, names={"bn": "normalised"})
    assert [each.header.name for each in imported.histories] == ["digits", "loss"]
    digits, loss = imported.histories
    assert "normalised" in digits.trials[0].values
    assert "normalised" not in loss.trials[0].values
    with pytest.raises(ForeignPastError, match=r"digits, .*no hyperparameter 'no' to be renamed"):
        import_histories(path, names={"no": "where"})
