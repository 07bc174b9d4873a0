"""What the report and the terminal say of a search in which something could not be tried."""

import dataclasses

import pytest
from finished_run import FinishedRun
from visible_text import visible_text

from models.history.records import TrialRecord
from models.history.tuning_history import read_history, write_history
from models.search.joint_space import candidate_of
from models.search.search_record import RefusedBackbone, read_record, write_record
from pipeline.report.search_view import past_words
from pipeline.terminal.closing_lines import print_summary


def fail(run: FinishedRun, message: str, count: int) -> list[TrialRecord]:
    """Makes the last configurations that were not chosen failed ones."""
    file = run.folder / "history" / "history.jsonl"
    history = read_history(str(file))
    kept = [each for each in history.trials if each.order != history.header.chosen]
    failed = {
        each.order: TrialRecord(
            order=each.order, status="failed", values=each.values, seconds=0.0, message=message
        )
        for each in kept[-count:]
    }
    trials = tuple(failed.get(each.order, each) for each in history.trials)
    write_history(file, dataclasses.replace(history, trials=trials))
    return list(failed.values())


@pytest.mark.parametrize(
    ("judged", "trusted", "words"),
    [
        (True, True, "What they foretold held."),
        (True, False, "What they foretold did not hold"),
        (False, True, "Too few configurations were begun to tell whether what they foretold held."),
    ],
)
def test_of_the_past_is_said_what_was_seen(
    run: FinishedRun, judged: bool, trusted: bool, words: str
) -> None:
    record = read_record(run.folder / "history")
    update = {"past": ("clothes",), "judged": judged, "trusted": trusted}
    assert words in past_words(record.model_copy(update=update))


def test_configurations_that_failed_are_counted(run: FinishedRun) -> None:
    fail(run, "out of memory", 2)
    assert "2 failed, the first with: out of memory" in " ".join(visible_text(run.page()).split())


def test_seconds_of_several_processes_are_called_so(
    run: FinishedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run.folder / "history"
    own = read_record(folder)
    shared = {"clock_seconds": 31.0, "spent": 55.0, "is_shared": True}
    write_record(folder, own.model_copy(update=shared))
    print_summary(run.summary(), run.folder)
    told = " ".join(capsys.readouterr().out.split())
    assert "in 31 s (55 s of all processes together)," in told
    assert run.summary()["tuning"]["seconds"] == 31.0
    page = " ".join(visible_text(run.page()).split())
    assert "begun in 31.0 s; the budget was 60.0 s, of which all processes together took 55" in page
    assert "Time of all processes together" in page
    assert "seconds of all processes together" in page
    write_record(folder, own)
    print_summary(run.summary(), run.folder)
    assert "in 6 s, warm" in " ".join(capsys.readouterr().out.split())
    assert "all processes" not in visible_text(run.page())


def test_a_backbone_that_could_not_be_had_is_told_in_the_end(
    run: FinishedRun, capsys: pytest.CaptureFixture[str]
) -> None:
    (failed,) = fail(run, "models.errors.UsageError: no network", 1)
    lost = candidate_of(failed.values)
    folder = run.folder / "history"
    refused = (RefusedBackbone(candidate=lost, reason="no network"),)
    write_record(folder, read_record(folder).model_copy(update={"refused": refused}))
    print_summary(run.summary(), run.folder)
    assert f"; without {lost}, as the report says" in " ".join(capsys.readouterr().out.split())
    page = " ".join(visible_text(run.page()).split())
    assert f"{lost} no network" in page
    assert "UsageError" not in page
