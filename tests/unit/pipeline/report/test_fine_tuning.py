"""What the report, the summary and the list of histories say of a search of fine-tuning."""

from pathlib import Path

import pytest
from fine_tuning_histories import fine_tuning_history
from finished_run import FinishedRun, visible_text

from models.history.collection import collect
from models.history.contribution import Contribution, write_contribution
from models.history.library import read_library
from models.history.tuning_history import write_history
from pipeline.knowledge.words import best_accuracy, search_in_words


def test_the_report_tells_what_was_tried_and_chosen(run: FinishedRun) -> None:
    folder = run.artifact("fine_tuning_history")
    write_history(folder / "history.jsonl", fine_tuning_history(chosen=2))
    write_contribution(folder / "contribution.json", Contribution(words="From nothing before."))
    text = visible_text(run.page())
    for words in (
        "6 settings of fine-tuning were tried in 4 min 30 s",
        "all for 2 epochs and 3 of them to the end",
        "Chosen: learning rate 0.0005, unfreeze 0.5, augment on, +0.0765 of the score",
        "From nothing before.",
        "Accuracy after 2 epochs",
        "0.8765",
    ):
        assert words in text
    told = run.summary()["tuning"]["fine_tuning"]
    assert told["trials"] == 6
    assert told["best"]["values"]["training.learning_rate"] == 5e-4
    assert told["best"]["score"] == 0.8765
    assert told["gain"] == pytest.approx(0.0765)


def test_it_says_when_the_configured_settings_stay(run: FinishedRun) -> None:
    write_history(
        run.artifact("fine_tuning_history") / "history.jsonl", fine_tuning_history(chosen=0)
    )
    assert "The configured settings stay" in visible_text(run.page())
    assert run.summary()["tuning"]["fine_tuning"]["gain"] == 0.0


@pytest.mark.parametrize("content", [None, "{"])
def test_there_is_no_section_without_such_a_search(run: FinishedRun, content: str | None) -> None:
    if content:
        (run.artifact("fine_tuning_history") / "history.jsonl").write_text(content)
    assert 'id="fine-tuning"' not in run.page()
    assert run.summary()["tuning"]["fine_tuning"] is None


def test_it_is_listed_as_what_it_is_and_no_search_for_a_head_learns_from_it(tmp_path: Path) -> None:
    write_history(tmp_path / "digits.jsonl", fine_tuning_history(chosen=2))
    (entry,) = collect([("", tmp_path)]).entries
    assert search_in_words(entry.history.header).endswith("; fine-tuning")
    assert best_accuracy(entry) == "0.876", "not the mean with the look after two epochs"
    assert read_library([("", tmp_path)]).sources == ()
    (source,) = read_library([("", tmp_path)], subject="fine_tuning").sources
    assert len(source.values) == 6
