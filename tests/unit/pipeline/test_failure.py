"""What a failed run tells, and what keeps a run alive: lost terminals, Ctrl-C."""

import contextlib
import errno
import os
import signal
from pathlib import Path

import pytest

from models.errors import UsageError
from pipeline import config_file
from pipeline.cli import main
from pipeline.config_file import parse_assignment
from pipeline.failure import in_words, unwritable
from pipeline.interrupts import Interrupts, sigterm_as_ctrl_c
from pipeline.run_folder import read_run
from pipeline.terminal.quiet import output_to


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/w/a.npz"), ["disk is full", "/w/a"]),
        (RuntimeError("w/x; No space left on device [while running 'Write']"), ["disk is full"]),
        (RuntimeError("query: database or disk is full query: COMMIT"), ["disk is full"]),
        (RuntimeError("disk I/O error query: COMMIT"), ["cannot be read or written", "ulimit"]),
        (OSError(errno.EFBIG, "File too large"), ["larger than is allowed", "ulimit -f"]),
        (PermissionError(errno.EACCES, "Permission denied", "/w/b"), ["/w/b", "permissions"]),
        (ValueError("shapes differ\nand more"), ["ValueError: shapes differ (the whole", "log"]),
        (ValueError(), ["ValueError: no message"]),
    ],
)
def test_errors_in_words(error: Exception, words: list[str], tmp_path: Path) -> None:
    told = in_words(error, tmp_path / "not made yet", tmp_path / "log.txt")
    for word in words:
        assert word in told
    assert "\n" not in told


def test_the_cause_of_an_error_counts(tmp_path: Path) -> None:
    error = RuntimeError("the stage failed")
    error.__cause__ = OSError(errno.EDQUOT, "Disk quota exceeded", "/w/c")
    assert "The disk is full: /w/c" in in_words(error, tmp_path, tmp_path / "log.txt")
    assert "MiB are free" in str(unwritable(OSError(errno.ENOSPC, "full"), tmp_path))


def test_a_run_outlives_its_terminal(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    saved = os.dup(2)
    os.dup2(writer, 2)
    os.close(writer)
    try:
        with output_to(tmp_path / "log.txt") as terminal:
            os.close(reader)
            print("nobody reads this", file=terminal)
            print("x" * 100_000, file=terminal)
            os.write(2, b"still logged\n")
    finally:
        os.dup2(saved, 2)
        os.close(saved)
    assert "still logged" in (tmp_path / "log.txt").read_text()


def _swallow(number: signal.Signals) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        os.kill(os.getpid(), number)


def test_an_interrupt_that_a_library_swallows_still_counts() -> None:
    before = signal.getsignal(signal.SIGINT)
    interrupts = Interrupts()
    with pytest.raises(KeyboardInterrupt), interrupts:
        _swallow(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        interrupts.check()
    assert signal.getsignal(signal.SIGINT) is before


def test_an_ignored_interrupt_stays_ignored() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Interrupts():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("at_sigint", [signal.default_int_handler, signal.SIG_IGN])
def test_sigterm_does_what_ctrl_c_does(at_sigint: signal.Handlers) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.signal(signal.SIGINT, at_sigint)
    try:
        with pytest.raises(KeyboardInterrupt), sigterm_as_ctrl_c():
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGINT, before[1])
    assert signal.getsignal(signal.SIGTERM) is before[0]


def test_a_sigterm_that_a_library_swallows_still_counts() -> None:
    interrupts = Interrupts()
    with pytest.raises(KeyboardInterrupt), sigterm_as_ctrl_c(), interrupts:
        _swallow(signal.SIGTERM)


def test_a_handler_of_sigterm_is_kept() -> None:
    came: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: came.append(number))
    try:
        with sigterm_as_ctrl_c():
            os.kill(os.getpid(), signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert came == [signal.SIGTERM]


def test_a_command_that_gets_sigterm_says_so(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(config_file, "load_config", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    assert main(["config"]) == 130
    assert "interrupted. The same command goes on" in capsys.readouterr().err


def test_a_name_that_is_no_utf_8_is_told(capsys, monkeypatch) -> None:
    monkeypatch.setattr(config_file, "load_config", lambda *_: "a/\udcff.pem".encode())
    assert main(["config"]) == 1
    told = capsys.readouterr().err
    assert "expected names that are UTF-8; got …a/\\udcff.pem…" in told
    assert "Rename" in told


def test_values_of_set_are_yaml() -> None:
    assert parse_assignment("tuning.hidden_units=[0, 64]") == ("tuning.hidden_units", [0, 64])
    assert parse_assignment("model.weights=a=b") == ("model.weights", "a=b")
    with pytest.raises(UsageError, match="KEY=VALUE"):
        parse_assignment("tuning.trials")


def test_a_summary_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    assert read_run(tmp_path).status == "unfinished"
    (tmp_path / "summary.json").write_text('{"status": "pushed", "model": {"version": 3}}')
    assert read_run(tmp_path).model.version == 3
    (tmp_path / "summary.json").write_text('{"status": "pushed", "model"')
    assert read_run(tmp_path).status == "unknown"
