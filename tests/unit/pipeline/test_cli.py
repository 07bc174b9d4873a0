import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.cli import main


def test_run_without_data_says_how_to_name_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run"]) == 2
    assert "--data DIR" in capsys.readouterr().err


def test_an_unknown_flag_is_bad_usage() -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["run", "--dta", "x"])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["run", "photos"], "with --data: --data photos"),
        (["stage", "Trainer", "my photos"], "--data 'my photos'"),
        (["run", "--budget", "5m"], "are set so: --set tuning.budget=5m"),
        (["run", "--batch-size=64"], "are set so: --set training.batch_size=64"),
        (["run", "--nothing-like-it"], "unrecognized arguments: --nothing-like-it\n"),
        (["runs", "photos"], "unrecognized arguments: photos\n"),
    ],
)
def test_says_what_may_have_been_meant(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert words in capsys.readouterr().err


def test_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out.startswith("graft ")


@pytest.mark.parametrize("arguments", [["--set", "tuning.trails=3"], ["--set", "tuning.trials"]])
def test_a_bad_key_is_bad_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", *arguments]) == 2
    assert capsys.readouterr().err.startswith("graft: ")


def test_init_writes_a_file_that_config_reads_and_never_overwrites(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my graft.yaml"
    assert main(["init", str(file)]) == 0
    assert shlex.split(capsys.readouterr().out)[-2:] == ["--config", str(file)]
    assert main(["config", "--config", str(file), "--trials", "5"]) == 0
    assert "trials: 5" in capsys.readouterr().out
    file.write_text("seed: 3\n")
    assert main(["init", str(file)]) == 2
    assert file.read_text() == "seed: 3\n"


def test_runs_and_report_of_an_empty_workspace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["runs", "--workspace", str(tmp_path)]) == 0
    assert "graft run --data" in capsys.readouterr().out
    assert main(["report", "--workspace", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert "no report of any run" in told
    assert "A run writes one in the end: `graft run --data DIR`" in told


def test_a_program_gets_the_runs_as_an_object_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = ["runs", "--json", "--workspace", str(tmp_path)]
    assert main(told) == 0
    assert capsys.readouterr().out == ""
    summary = {"status": "pushed", "reason": "Good.\né", "exit_code": 0, "seconds": 3.0}
    summary |= {"metrics": {"accuracy": 0.5, "f1": 1.0}, "model": {"version": 7, "card": None}}
    for name in ("20260101-000000-000", "20260102-000000-000"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    (tmp_path / "runs" / "20260101-000000-000" / "summary.json").write_text(json.dumps(summary))
    assert main(told) == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first == {
        "run_id": "20260101-000000-000",
        "status": "pushed",
        "reason": "Good.\né",
        "exit_code": 0,
        "metrics": {"accuracy": 0.5},
        "model": {"version": 7},
    }
    assert (second["status"], second["exit_code"]) == ("unfinished", None)
    assert second["metrics"] == {"accuracy": None}


@pytest.mark.parametrize(
    "command", [["run", "--data", "x"], ["runs"], ["report"], ["knowledge", "list"], ["promote"]]
)
def test_a_workspace_that_can_be_no_folder_is_bad_usage(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    for name, words in (("file", "is none"), ("loop/w", "is none"), ("n" * 256, "longer than")):
        assert main([*command, "--workspace", str(tmp_path / name)]) == 2
        assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["deploy", ""], "after deploy; got nothing"),
        (["knowledge", "export", ""], "after export; got nothing"),
        (["export", "--out", ""], "after --out; got nothing"),
        (["runs", "--workspace="], "for --workspace; got nothing"),
    ],
)
def test_an_empty_argument_is_never_the_folder_one_is_in(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    assert words in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["deploy", "s3://bucket/models"],
        ["export", "--out", "gs://bucket/models"],
        ["init", "s3://bucket/graft.yaml"],
        ["schedule", "--every", "6h", "--as", "cron", "--config", "x", "--out", "s3://b/s"],
        ["predict", "x.png", "--html", "s3://bucket/page.html"],
        ["predict", "x.png", "--explain", "s3://bucket/pictures"],
        ["predict", "https://example.com/x.png"],
        ["label", "--zero-shot", "x", "--output", "s3://bucket/labels.csv"],
        ["labels", "--suggest", "3", "--output", "s3://bucket/labels.csv"],
        ["worker", "s3://bucket/search"],
        ["demo", "--workspace", "s3://bucket/w"],
        ["runs", "--config", "s3://bucket/graft.yaml"],
    ],
)
def test_an_address_is_never_taken_for_a_path(
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert "expected a path of this machine; got the address" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_tilde_that_the_shell_left_is_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert main(["init", "~/graft.yaml"]) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["graft.yaml"]
    with pytest.raises(SystemExit, match="2"):
        main(["init", "~nobody-of-this-name/graft.yaml"])
    assert "there is no user" in capsys.readouterr().err


def test_a_closed_stream_is_no_fault_and_no_file_gets_its_number(tmp_path: Path) -> None:
    code = (
        "import os, sys; from pipeline.cli import main; code = main(['runs']);"
        "file = os.open('file', os.O_CREAT | os.O_WRONLY);"
        "print('words'); print('words', file=sys.stderr); os.write(2, b'words'); os.write(1, b'w');"
        "open('code', 'w').write(f'{code} {file > 2}')"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    for closed in (">&-", "2>&-", "<&- >&- 2>&-"):
        shell = f'exec "$0" -c "$1" {closed}'
        subprocess.run(
            ["bash", "-c", shell, sys.executable, code],
            cwd=tmp_path,
            env=environment,
            check=True,
            capture_output=True,
        )
        assert (tmp_path / "code").read_text() == "0 True", closed
        assert (tmp_path / "file").read_bytes() == b"", closed


def test_a_folder_that_is_gone_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert main(["runs"]) == 1
    assert "the folder that this was called in is gone" in capsys.readouterr().err


def test_an_interrupt_inside_generated_code_ends_with_the_code_for_it(tmp_path: Path) -> None:
    """What `dataclass` and `namedtuple` run is a text; CPython treats an interrupt there alone."""
    module = tmp_path / "interrupted.py"
    module.write_text(
        "import sys\n"
        "from pipeline import cli, config_file\n"
        "config_file.load_config = lambda *_: exec('raise KeyboardInterrupt')\n"
        "sys.exit(cli.main(['config']))\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        [sys.executable, "-m", "interrupted"],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert done.returncode == 130, done.stderr
    assert "The same command goes on from here" in done.stderr
