"""Searches with a backbone of eight layers: what they begin, keep, and hand on."""

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from search_digits import SIZES, search_task, small_backbone, small_backbones

from models.backbone_choice.backbone_choice import Candidate
from models.curves.learning_curve import CurveTask
from models.errors import GraftError
from models.head.task_description import Origin, describe
from models.history.records import TaskDescription
from models.history.tuning_history import read_history, write_history
from models.oracles.freeze_thaw_oracle import EPOCHS, INITIAL_EPOCH
from models.search.joint_search import JointSearch, SearchResult
from models.search.joint_space import (
    configurations,
    frozen_backbone,
    is_frozen,
    usual_fine_tuning,
    with_choice,
)
from models.search.search_record import read_record, write_record
from models.search.search_settings import SearchSettings
from models.search.search_task import SearchTask
from models.search.stretch_runner import StretchRunner
from models.search.tried import curve_task
from models.training.train import train

__all__ = ["small_backbones"]
SMALL = Candidate(backbone="EfficientNetLite0", weights="imagenet", image_size=SIZES[0])
pytestmark = pytest.mark.usefixtures("small_backbones")


def described(search: JointSearch) -> TaskDescription:
    origin = Origin("small", "none", "0" * 64, 32, data_fingerprint="f" * 64)
    return describe(search.embeddings, origin)


def searched(
    task: SearchTask, folder: Path, past: Sequence[CurveTask] = (), **settings: Any
) -> SearchResult:
    search = JointSearch(
        task, SearchSettings(**{"budget": 600.0, **settings}), folder / "scratch", code="1"
    )
    return search.run(described(search), past, name="digits")


def test_a_search_tells_all_that_it_tried(digits_folder: Path, tmp_path: Path) -> None:
    task = search_task(digits_folder, tmp_path, strategy="fine_tune", learning_rate=3e-3)
    result = searched(task, tmp_path, trials=5)
    history = result.history
    first = history.trials[0]
    assert first.values == usual_fine_tuning(task)
    assert history.header.search.subject == "joint"
    assert sum(1 for each in history.trials if each.evaluations) == len(history.trials) >= 3
    for trial in history.trials:
        curve = trial.evaluations[-1].curve
        assert trial.score == max(curve.scores)
        assert len(curve.seconds) == len(curve.scores) <= 4
        assert all(each > 0 for each in curve.seconds)
    best = history.best
    assert best is not None
    assert best.values == result.chosen
    assert result.state is not None
    assert result.state.is_file()
    record = result.record
    assert len(record.steps) == 5
    assert list(record.steps) == sorted(record.steps, key=lambda each: each.seconds)
    assert record.spent == pytest.approx(record.steps[-1].seconds)
    assert record.past == ()
    assert record.trusted is None
    assert sum(each.configurations for each in record.backbones) == len(history.trials)
    assert [each.chosen for each in record.backbones].count(True) == 1
    write_history(tmp_path / "history.jsonl", history)
    assert read_history(tmp_path / "history.jsonl") == history
    write_record(tmp_path, record)
    assert read_record(tmp_path) == record
    assert len(curve_task(history, "digits").begun) == len(history.trials)


def test_a_paused_training_goes_on_as_if_it_had_not_been(
    digits_folder: Path, tmp_path: Path
) -> None:
    task = search_task(digits_folder, tmp_path, learning_rate=3e-3, patience=4)
    values, other = usual_fine_tuning(task), configurations(task, 500)[5]

    def epochs(runner: StretchRunner, configuration: Any, start: int, stop: int) -> list[float]:
        made = runner.run({**configuration, EPOCHS: stop, INITIAL_EPOCH: start})
        return list(made.curve.scores)

    whole = epochs(StretchRunner(task, tmp_path / "whole"), values, 0, 4)
    parts = StretchRunner(task, tmp_path / "parts")
    assert epochs(parts, values, 0, 1) == whole[:1]
    epochs(parts, other, 0, 2)
    assert epochs(parts, values, 1, 2) == whole[:2]
    # In another process.
    assert epochs(StretchRunner(task, tmp_path / "parts"), values, 2, 4) == whole
    for stop, paused_after in ((2, 2), (4, None)):
        seen = parts.find({**values, EPOCHS: stop})
        assert seen is not None
        assert seen.paused_after == paused_after
    assert len(whole) == 4
    assert len(set(whole)) > 1


def test_a_search_that_was_killed_goes_on(
    digits_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = search_task(digits_folder, tmp_path, learning_rate=3e-3)
    before = searched(task, tmp_path, trials=2)
    made: list[Any] = []
    train = StretchRunner._fine_tuned

    def noted(self: StretchRunner, values: Any) -> Any:
        made.append(values)
        return train(self, values)

    monkeypatch.setattr(StretchRunner, "_fine_tuned", noted)
    after = searched(task, tmp_path, trials=4)
    assert [each.values for each in after.history.trials[: len(before.history.trials)]] == [
        each.values for each in before.history.trials
    ]
    assert after.record.steps[:2] == before.record.steps
    assert len(after.record.steps) == 4
    assert len(made) <= 2
    journal = json.loads(
        next((tmp_path / "scratch").glob("*/journal.json")).read_bytes().split(b"\nsha256")[0]
    )
    assert len(journal) == 8


def test_backbones_that_cannot_be_had_are_left_out(digits_folder: Path, tmp_path: Path) -> None:
    task = search_task(digits_folder, tmp_path, strategy="feature_extraction")
    missing = Candidate(backbone="EfficientNetLite0", weights="missing", image_size=24)
    result = searched(task.model_copy(update={"candidates": (*task.candidates, missing)}), tmp_path)
    assert [(each.candidate, each.reason) for each in result.record.refused] == [
        (missing, "the weights cannot be had")
    ]
    failed = [each for each in result.history.trials if each.status == "failed"]
    assert ["cannot be had" in each.message for each in failed] == [True]
    assert len(result.history.completed) == 2
    assert is_frozen(result.chosen)
    assert result.state is None


def test_a_backbone_that_cannot_be_had_costs_one_trial_that_does_not_count(
    digits_folder: Path, tmp_path: Path
) -> None:
    task = search_task(digits_folder, tmp_path, auto_fine_tune_images=0)
    missing = Candidate(backbone="EfficientNetLite0", weights="missing", image_size=16)
    task = task.model_copy(update={"candidates": (task.candidates[0], missing)})
    first = searched(task, tmp_path, trials=4)
    # The second goes through what the first did.
    for result in (first, searched(task, tmp_path, trials=4)):
        failed = [each for each in result.history.trials if each.status == "failed"]
        assert [each.values["model.weights"] for each in failed] == ["missing"]
        assert len(result.record.steps) == 5
        assert [each.candidate for each in result.record.refused] == [missing]
    assert first.history.trials == result.history.trials


def test_what_diverges_has_failed_and_is_not_chosen(digits_folder: Path, tmp_path: Path) -> None:
    task = search_task(digits_folder, tmp_path, learning_rate=1e15)
    result = searched(task, tmp_path, trials=4)
    assert {each.status for each in result.history.trials} == {"failed", "completed"}
    diverged = [each for each in result.history.trials if each.status == "failed"]
    assert all("diverged" in each.message for each in diverged)
    assert is_frozen(result.chosen)


def test_a_search_of_which_nothing_comes_says_why(digits_folder: Path, tmp_path: Path) -> None:
    task = search_task(digits_folder, tmp_path, learning_rate=1e15, strategy="fine_tune")
    with pytest.raises(GraftError, match=r"None of 3 configurations came out: .*diverged"):
        searched(task, tmp_path, trials=3)
    # What has to be mended is not remembered.
    assert not list((tmp_path / "scratch").glob("*/journal.json"))


def test_the_budget_follows_from_the_machine_and_the_usual_is_begun_in_any_case(
    digits_folder: Path, tmp_path: Path
) -> None:
    task = search_task(digits_folder, tmp_path)
    search = JointSearch(task, SearchSettings(), tmp_path / "scratch")
    assert search.budget == pytest.approx(0.7 * search.usual_seconds)
    slow = JointSearch(task, SearchSettings(budget=1e-3), tmp_path / "slow")
    result = slow.run(described(slow))
    # The usual configuration is begun whatever it takes.
    assert len(result.history.trials) == 1
    assert result.chosen == configurations(task, 120)[0]
    assert "no other configuration" in result.record.words


def test_time_that_the_winner_leaves_is_searched_on(
    digits_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = search_task(digits_folder, tmp_path, epochs=1)
    task = task.model_copy(update={"candidates": task.candidates[:1]})
    told = 1e4
    monkeypatch.setattr(JointSearch, "expected_seconds", told)
    search = JointSearch(task, SearchSettings(), tmp_path / "scratch")
    record = search.run(described(search)).record
    # Half of what spent seconds and the training leave of it.
    assert record.budget - search.budget == pytest.approx(told / 2, rel=0.1)
    assert "the search went on" in record.words
    # Nothing is left of it.
    monkeypatch.setattr(JointSearch, "expected_seconds", 0.0)
    other = JointSearch(task, SearchSettings(), tmp_path / "other")
    record = other.run(described(other)).record
    assert record.budget == other.budget
    assert "the search went on" not in record.words
    # What a person gave is what is taken.
    monkeypatch.setattr(JointSearch, "expected_seconds", told)
    given = JointSearch(task, SearchSettings(budget=1e-3), tmp_path / "given")
    assert given.run(described(given)).record.budget == 1e-3


def test_frozen_backbones_alone_take_no_time_that_only_a_fine_tuning_would(
    digits_folder: Path, tmp_path: Path
) -> None:
    task = search_task(digits_folder, tmp_path, strategy="feature_extraction")
    frozen = JointSearch(task, SearchSettings(), tmp_path / "scratch")
    usual = search_task(digits_folder, tmp_path, strategy="fine_tune")
    tuned = JointSearch(usual, SearchSettings(), tmp_path / "tuned")
    frozen.costs.pace = tuned.costs.pace
    assert frozen.usual_seconds < tuned.usual_seconds / 2
    assert frozen.longest <= frozen.budget
    record = frozen.run(described(frozen)).record
    # Nothing was left to search on for.
    assert len(record.steps) == len(SIZES)
    assert record.budget == frozen.budget
    assert "the search went on" not in record.words


def test_few_images_and_a_budget_for_no_fine_tuning_take_the_time_of_frozen_backbones(
    digits_folder: Path, tmp_path: Path
) -> None:
    task = search_task(digits_folder, tmp_path)

    def told(budget: float, **training: Any) -> JointSearch:
        asked = search_task(digits_folder, tmp_path, **training)
        return JointSearch(asked, SearchSettings(budget=budget), tmp_path / "scratch")

    few, enough = told(0.001), told(1000.0)
    assert is_frozen(configurations(task, 120)[0])
    assert few.longest <= few.budget
    assert few.usual_seconds < enough.usual_seconds / 2
    assert few.expected_seconds < enough.expected_seconds / 2
    # Where a fine-tuning is the usual training, it is made whatever the search has time for.
    assert told(0.001, strategy="fine_tune").usual_seconds > few.usual_seconds


def test_what_is_told_is_by_the_clock_and_no_more_than_can_be_bought(
    digits_folder: Path, tmp_path: Path
) -> None:
    task = search_task(digits_folder, tmp_path, strategy="fine_tune")

    def told(**settings: Any) -> JointSearch:
        # Of one pace, which is measured once for all in a folder.
        return JointSearch(task, SearchSettings(**settings), tmp_path / "scratch")

    alone, three = told(budget=9.0), told(budget=9.0, parallel=3)
    assert (alone.budget, alone.longest) == (three.budget, 3 * three.longest) == (9.0, 9.0)
    # Of the search's time the training need not do again a part.
    own = 0.6 * (min(9.0, alone.usual_seconds) - min(3.0, alone.usual_seconds))
    assert alone.expected_seconds - three.expected_seconds == pytest.approx(6.0 - own)
    days, stretch = told(budget=1e6), told(budget=1e6, trials=1)
    assert days.longest < 1e5
    assert stretch.longest < days.longest / 10
    assert stretch.longest < told(budget=1e6, trials=3).longest <= days.longest
    assert told(budget=9.0, trials=1000).longest == 9.0


def test_a_past_is_learned_from_unless_the_search_is_to_be_cold(
    digits_folder: Path, tmp_path: Path
) -> None:
    task = search_task(digits_folder, tmp_path, strategy="feature_extraction")
    first = searched(task, tmp_path / "first")
    past = [curve_task(first.history, f"digits {number}") for number in range(2)]
    second = searched(task, tmp_path / "second", past)
    assert second.record.past == ("digits 0", "digits 1")
    assert second.record.trusted
    assert second.record.gain == 0.0, "nothing is left to try"
    cold = searched(task, tmp_path / "cold", past, algorithm="cold")
    assert (cold.record.past, cold.record.trusted, cold.record.gain) == ((), None, None)


def test_the_final_training_goes_on_where_the_search_left_the_winner(
    digits_folder: Path, tmp_path: Path
) -> None:
    task = search_task(digits_folder, tmp_path, strategy="fine_tune", learning_rate=3e-3)
    search = JointSearch(task, SearchSettings(budget=600.0, trials=1), tmp_path / "scratch")
    result = search.run(described(search))
    assert result.state is not None
    candidate = task.candidates[0]
    training = dataclasses.replace(
        search.runner.prepared(candidate).training(
            with_choice(task.training, result.chosen), tmp_path / "final"
        ),
        backbone=small_backbone(candidate.backbone, candidate.weights, SIZES[0]),
        is_searched=True,
    )
    training.scratch.mkdir()
    shutil.copy(result.state, training.scratch)
    record = train(training).record
    assert record.resumed_from_epoch == 1
    assert record.strategy.reason == "chosen by the search"
    (tried,) = result.history.trials
    seen = record.to_values()["history"]["val_accuracy"]
    # The first of both is the head's.
    assert seen[1] == tried.evaluations[0].curve.validation_accuracy[0]
    assert len(seen) == 1 + 4
    search.close()
    assert not list((tmp_path / "scratch").glob("*/work"))
    again = JointSearch(task, SearchSettings(budget=500.0, trials=1), tmp_path / "scratch")
    looked_up = again.run(described(again))
    assert looked_up.chosen == result.chosen
    assert looked_up.state is None
    assert looked_up.record.training_seconds > result.record.training_seconds


def test_where_a_frozen_backbone_wins_the_time_left_is_for_its_fine_tuning(
    digits_folder: Path, tmp_path: Path
) -> None:
    small, large = SMALL, SMALL.model_copy(update={"image_size": 64})
    # A rate that changes nothing, so that the smaller images win, frozen.
    task = search_task(
        digits_folder, tmp_path, auto_fine_tune_images=100, learning_rate=1e-9
    ).model_copy(update={"candidates": (large, small)})
    result = searched(task, tmp_path, trials=3)
    assert [each.values for each in result.history.trials] == [
        usual_fine_tuning(task),
        # It costs nothing any more to embed the images with the usual one.
        frozen_backbone(large),
        frozen_backbone(small),
    ]
    assert result.chosen == usual_fine_tuning(task, small)
    assert result.state is None
    assert "the better of the two is exported" in result.record.words
    assert result.record.training_seconds > result.history.trials[2].seconds
    # What later searches learn is what was seen.
    best = result.history.best
    assert best is not None
    assert best.values == frozen_backbone(small)
    # A fine-tuning starts from what its backbone is worth frozen.
    starts = [curve.start for curve in curve_task(result.history, "digits").begun]
    assert starts == [result.history.trials[1].score, None, None]


def test_a_backbone_whose_fine_tuning_failed_stays_frozen(
    digits_folder: Path, tmp_path: Path
) -> None:
    task = search_task(
        digits_folder, tmp_path, auto_fine_tune_images=100, learning_rate=1e15
    ).model_copy(update={"candidates": (SMALL,)})
    result = searched(task, tmp_path, trials=2)
    assert [each.status for each in result.history.trials] == ["failed", "completed"]
    assert result.chosen == frozen_backbone(SMALL)


def test_activations_of_images_made_square_otherwise_are_not_taken_up(
    digits_folder: Path, tmp_path: Path
) -> None:
    task = search_task(digits_folder, tmp_path, strategy="fine_tune", augment=False)
    for resize in ("stretch", "pad"):
        other = task.model_copy(update={"resize": resize})
        values = {**usual_fine_tuning(other), EPOCHS: 1, INITIAL_EPOCH: 0}
        StretchRunner(other, tmp_path / resize).run(values)
    (process,) = (tmp_path / "activations").iterdir()
    assert len(list(process.iterdir())) == 2
