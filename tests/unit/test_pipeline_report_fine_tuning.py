"""What the report, the summary and the list of histories say of a search of fine-tuning."""

from pathlib import Path

import pytest
from finished_run import FinishedRun, visible_text
from histories import task

from models.tuning.collection import collect
from models.tuning.history import TuningHistory, new_history, write_history
from models.tuning.library import read_library
from models.tuning.records import Curve, Evaluation, SearchDescription, TrialRecord
from models.tuning.score import METRIC
from models.tuning.space import Choice, FloatRange, SearchSpace
from models.tuning.warm.contribution import Contribution, write_contribution
from pipeline.knowledge.words import best_accuracy, search_in_words

SPACE = SearchSpace(
    parameters=(
        FloatRange(name="training.learning_rate", low=3e-5, high=3e-3, scale="log"),
        Choice(name="training.unfreeze", values=(0.25, 0.5, 0.75)),
        Choice(name="training.augment", values=("off", "on")),
    )
)
RATES = (3e-4, 1e-3, 5e-4, 1e-4, 2e-3, 2e-4)


def evaluation(score: float, paused_after: int | None) -> Evaluation:
    curve = Curve(train_loss=(1.0,), validation_loss=(0.0,), validation_accuracy=(score,))
    return Evaluation(
        seed=0,
        score=score,
        best_epoch=0,
        validation_loss=0.0,
        validation_accuracy=score,
        seconds=30.0,
        curve=curve,
        paused_after=paused_after,
    )


def trial(order: int, first: float, whole: float | None = None) -> TrialRecord:
    evaluations = [evaluation(first, 2)]
    if whole is not None:
        evaluations.append(evaluation(whole, None))
    return TrialRecord(
        order=order,
        status="completed",
        values=dict(
            zip([each.name for each in SPACE.parameters], (RATES[order], 0.5, "on"), strict=True)
        ),
        score=first,
        evaluations=tuple(evaluations),
        seconds=30.0 * len(evaluations),
    )


def history(chosen: int) -> TuningHistory:
    """Three of six trials were trained to the end, the configured settings among them."""
    trials = (
        trial(0, 0.7, 0.8),
        trial(1, 0.5),
        trial(2, 0.75, 0.8765),
        trial(3, 0.6),
        trial(4, 0.2),
        trial(5, 0.72, 0.81),
    )
    search = SearchDescription(
        algorithm="warm",
        seed=0,
        epochs=6,
        patience=3,
        class_weights="balanced",
        metric=METRIC,
        subject="fine_tuning",
    )
    return new_history(SPACE, task("digits"), search, trials, chosen=chosen, name="digits")


def test_the_report_tells_what_was_tried_and_chosen(run: FinishedRun) -> None:
    folder = run.artifact("fine_tuning_history")
    write_history(folder / "history.jsonl", history(chosen=2))
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
    write_history(run.artifact("fine_tuning_history") / "history.jsonl", history(chosen=0))
    assert "The configured settings stay" in visible_text(run.page())
    assert run.summary()["tuning"]["fine_tuning"]["gain"] == 0.0


@pytest.mark.parametrize("content", [None, "{"])
def test_there_is_no_section_without_such_a_search(run: FinishedRun, content: str | None) -> None:
    if content:
        (run.artifact("fine_tuning_history") / "history.jsonl").write_text(content)
    assert 'id="fine-tuning"' not in run.page()
    assert run.summary()["tuning"]["fine_tuning"] is None


def test_it_is_listed_as_what_it_is_and_no_search_for_a_head_learns_from_it(tmp_path: Path) -> None:
    write_history(tmp_path / "digits.jsonl", history(chosen=2))
    (entry,) = collect([("", tmp_path)]).entries
    assert search_in_words(entry.history.header).endswith("; fine-tuning")
    assert best_accuracy(entry) == "0.876", "not the mean with the look after two epochs"
    assert read_library([("", tmp_path)]).sources == ()
    (source,) = read_library([("", tmp_path)], subject="fine_tuning").sources
    assert len(source.values) == 6
