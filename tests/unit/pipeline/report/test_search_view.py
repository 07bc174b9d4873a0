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
