"""`graft knowledge import` and `export` for other tuners."""

import json
from pathlib import Path

import pytest
from foreign_pasts import FOLDER, optuna_storage
from histories import history, task, write

from models.history.tuning_history import read_history
from pipeline.cli import main
from pipeline.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace")


def knowledge(workspace: Workspace, *arguments: str | Path) -> int:
    words = [str(argument) for argument in arguments]
    file = workspace.root.parent / "graft.yaml"
    file.write_text(json.dumps({"knowledge": {"starter": False}}))
    return main(["knowledge", *words, "--workspace", str(workspace.root), "--config", str(file)])


def test_all_studies_of_a_storage_are_imported_and_listed(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    storage = optuna_storage(tmp_path / "study.db")
    assert knowledge(workspace, "import", storage) == 0
    told = capsys.readouterr().out
    assert "Imported digits, 10 trials of Optuna with a score (val_accuracy, higher" in told
    assert "Imported loss, 6 trials of Optuna with a score (value, lower is better)" in told
    assert "Left out two: " in told
    assert "Left out empty: none of its 0 trials" in told
    assert "Runs of Graft do not learn from them" in told
    files = sorted(workspace.knowledge.glob("*.jsonl"))
    assert [read_history(file).header.name for file in files] == ["digits", "loss"]
    assert knowledge(workspace, "list") == 0
    assert "another tuner's (Optuna, val_accuracy), for notebooks alone" in capsys.readouterr().out
    # The same again is nothing new.
    assert knowledge(workspace, "import", storage) == 0
    assert sorted(workspace.knowledge.glob("*.jsonl")) == files


def test_show_tells_what_another_tuner_said(
    workspace: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert knowledge(workspace, "import", FOLDER / "hyperopt_params.json") == 0
    capsys.readouterr()
    assert knowledge(workspace, "show", "1") == 0
    shown = capsys.readouterr().out
    assert "6 completed, 4 failed; Hyperopt; the score is its loss, lower is better" in shown
    assert "act one of relu, tanh" in shown


def test_of_many_choices_the_ends_are_shown(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "runs.csv"
    rows = "".join(f"act{number:02},0.{number}\n" for number in range(10, 40))
    table.write_text(f"act,val_accuracy\n{rows}")
    assert knowledge(workspace, "import", table) == 0
    assert knowledge(workspace, "show", "1") == 0
    shown = capsys.readouterr().out
    assert "act one of act10, act11, act12, act13, act14, …, act39 (30 values)" in shown


def test_what_the_past_does_not_say_the_user_does(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "runs.csv"
    table.write_text("eta,note,score\n0.1,a,5\n0.2,b,7\n")
    assert knowledge(workspace, "import", table) == 2
    assert "--direction max" in capsys.readouterr().err
    words = ["--kind", "csv", "--direction", "min", "--map", "eta=learning_rate", "--map", "note="]
    assert knowledge(workspace, "import", table, *words) == 0
    (file,) = workspace.knowledge.glob("*.jsonl")
    imported = read_history(file)
    assert imported.header.search.direction == "min"
    assert [trial.values for trial in imported.trials] == [
        {"learning_rate": 0.1},
        {"learning_rate": 0.2},
    ]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["absent.csv", "--kind", "csv"], "absent.csv"),
        (["absent.csv", "--kind", "magic"], "no kind 'magic'"),
        (["gs://bucket/study.db", "--kind", "optuna"], "read from this machine"),
        ([str(FOLDER / "ray")], "--metric"),
        ([str(FOLDER / "hyperopt.json"), "--map", "act"], "--map takes OLD=NEW"),
    ],
)
def test_what_cannot_be_imported_is_said_in_words(
    workspace: Workspace, words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert knowledge(workspace, "import", *words) == 2
    assert told in capsys.readouterr().err
    assert not workspace.knowledge.exists()


def test_a_pickle_is_refused_with_what_to_do(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "trials.pkl").write_bytes(b"\x80\x04\x95.")
    assert knowledge(workspace, "import", tmp_path / "trials.pkl") == 2
    told = capsys.readouterr().err
    assert "is a pickle" in told
    assert "space_eval" in told


def test_a_history_is_exported_to_optuna_by_number_name_or_file(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tried = history(task("hats"), [0.5, 0.9, None], rates=[1e-3, 1e-2, 1e-1], name="hats")
    file = write(workspace.knowledge / "hats.jsonl", tried)
    target = tmp_path / "out" / "best.json"
    for which in ("1", "hats", str(file)):
        words = ["--as", "optuna", "--history", which, "--map", "rate=lr"]
        assert knowledge(workspace, "export", target, *words) == 0
        assert json.loads(target.read_text()) == [{"lr": 1e-2}, {"lr": 1e-3}]
        target.unlink()
    assert "Exported 2 trials, the best first, to " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--as", "optuna"], "with --history"),
        (["--history", "1"], "--as optuna"),
        (["--as", "optuna", "--history", "shoes"], "no history 'shoes'"),
    ],
)
def test_an_export_that_is_not_understood_writes_nothing(
    workspace: Workspace,
    tmp_path: Path,
    words: list[str],
    told: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(workspace.knowledge / "hats.jsonl", history(task("hats")))
    assert knowledge(workspace, "export", tmp_path / "out.json", *words) == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "out.json").exists()


def test_an_export_to_a_place_that_cannot_be_written_is_said_in_words(
    workspace: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(workspace.knowledge / "hats.jsonl", history(task("hats")))
    (tmp_path / "file").write_text("")
    words = ["--as", "optuna", "--history", "1"]
    assert knowledge(workspace, "export", tmp_path / "file" / "out.json", *words) == 2
    assert "cannot be exported" in capsys.readouterr().err
