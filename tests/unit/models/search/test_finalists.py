import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.head.head_trainer import DivergedError, HeadTrainer
from models.head.labelled_embeddings import HeadTask, LabelledEmbeddings
from models.head.task_description import Origin, describe
from models.history.records import Curve, Evaluation, TrialRecord
from models.history.search_space import Values
from models.history.tuning_history import read_history, write_history
from models.search.finalists import MOST_COST, choose
from models.search.folds import deal_folds
from models.search.head_search import SearchResult, search_heads
from models.search.search_settings import SearchSettings
from models.search.standings import standings

WORTH = (0.80, 0.90, 0.84, 0.86, 0.70, 0.88)
"""What the trials of `trials` are worth, which their own scores do not show."""
SCORES = (0.90, 0.89, 0.88, 0.87, 0.86, 0.85)


def evaluation(score: float, fold: int | None = None, epochs: int = 10) -> Evaluation:
    curve = Curve(
        train_loss=(1.0,) * epochs,
        validation_loss=(1.0,) * epochs,
        validation_accuracy=(0.5,) * epochs,
    )
    return Evaluation(
        seed=0,
        fold=fold,
        score=score,
        best_epoch=0,
        validation_loss=1.0,
        validation_accuracy=0.5,
        seconds=1.0,
        curve=curve,
    )


def trials(more: int = 0) -> list[TrialRecord]:
    """Six trials in the order of their scores, and others that are hopeless."""
    return [
        TrialRecord(
            order=order,
            status="completed",
            values={"index": order},
            score=score,
            evaluations=(evaluation(score),),
            seconds=1.0,
        )
        for order, score in enumerate(SCORES + (0.1,) * more)
    ]


class Folds:
    """Gives what a trial is worth, harder in every further fold, and counts."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []

    def __call__(self, values: Values, fold: int) -> Evaluation:
        index = int(values["index"])
        self.asked.append((index, fold))
        return evaluation(WORTH[index] - 0.1 * fold, fold)


def test_the_mean_decides_and_half_of_the_finalists_fall_out_after_each_fold() -> None:
    folds = Folds()
    contest = choose(trials(more=20), folds, finalists=6, repeats=3)
    assert contest.chosen == 1
    assert folds.asked[:6] == [(index, 0) for index in range(6)]
    assert sorted(folds.asked[6:]) == [(1, 1), (1, 2), (3, 1), (5, 1), (5, 2)]
    winner = contest.trials[1]
    assert [each.fold for each in winner.evaluations] == [None, 0, 1, 2]
    assert winner.standard_error is not None
    assert winner.seconds == 4
    assert contest.trials[6:] == tuple(trials(more=20)[6:])


def test_hard_folds_cost_nothing_in_the_mean() -> None:
    fitted = standings(
        {
            0: [evaluation(0.9), evaluation(0.5, 0), evaluation(0.7, 1)],
            1: [evaluation(0.8), evaluation(0.4, 0), evaluation(0.6, 1)],
            2: [evaluation(0.7), evaluation(0.3, 0)],
        }
    )
    assert [each.mean for each in fitted.values()] == pytest.approx([0.9, 0.8, 0.7])
    assert [each.standard_error for each in fitted.values()] == pytest.approx([0, 0, 0], abs=1e-9)


def test_the_standard_error_is_that_of_the_analysis_of_variance() -> None:
    generator = np.random.default_rng(0)
    table = generator.normal(size=(5, 4))
    fitted = standings(
        {
            row: [evaluation(score, fold - 1 if fold else None) for fold, score in enumerate(cells)]
            for row, cells in enumerate(table)
        }
    )
    residuals = table - table.mean(1, keepdims=True) - table.mean(0) + table.mean()
    expected = np.sqrt((residuals**2).sum() / (4 * 3)) / np.sqrt(4)
    for row, standing in fitted.items():
        assert standing.standard_error == pytest.approx(expected)
        difference = standing.mean - fitted[0].mean
        assert difference == pytest.approx(table[row].mean() - table[0].mean())


def test_a_single_look_has_no_error() -> None:
    assert standings({3: [evaluation(0.5)]})[3].standard_error is None


def test_a_ranking_may_name_the_finalists() -> None:
    folds = Folds()
    assert choose(trials(more=20), folds, finalists=2, repeats=1, ranking=[4, 2, 1]).chosen == 2
    assert folds.asked == [(4, 0), (2, 0)]


def test_the_cost_is_bounded_by_the_search() -> None:
    folds = Folds()
    choose(trials(), folds, finalists=6, repeats=3)
    assert 2 <= len(folds.asked) <= MOST_COST * len(SCORES)
    nothing = Folds()
    assert choose(trials()[:2], nothing, finalists=6, repeats=3).chosen == 0
    assert nothing.asked == []


@pytest.mark.parametrize(("finalists", "repeats"), [(1, 3), (3, 0)])
def test_without_a_contest_the_best_score_wins(finalists: int, repeats: int) -> None:
    contest = choose(trials(), Folds(), finalists=finalists, repeats=repeats)
    assert contest.chosen == 0
    assert contest.trials == tuple(trials())


def test_a_finalist_that_diverges_falls_out() -> None:
    class Fragile(Folds):
        def __call__(self, values: Values, fold: int) -> Evaluation:
            if values["index"] in broken:
                raise DivergedError("not one epoch")
            return super().__call__(values, fold)

    broken = {1}
    assert choose(trials(more=20), Fragile(), finalists=3, repeats=2).chosen == 2
    broken = {0, 1, 2}
    assert choose(trials(more=20), Fragile(), finalists=3, repeats=2).chosen == 0


def test_without_a_completed_trial_there_is_no_choice() -> None:
    failed = TrialRecord(order=0, status="failed", values={}, seconds=1.0)
    with pytest.raises(ValueError, match="no finalists"):
        choose([failed], Folds(), finalists=3, repeats=3)


def test_folds_share_no_validation_image_and_keep_the_classes(digits_task: HeadTask) -> None:
    folds = deal_folds(digits_task, 3, seed=1)
    assert len(folds) == 3
    assert np.array_equal(folds.parts, deal_folds(digits_task, 3, seed=1).parts)
    assert not np.array_equal(folds.parts, deal_folds(digits_task, 3, seed=2).parts)
    total = np.bincount(digits_task.train.classes, minlength=10)
    for fold in range(3):
        task = folds[fold]
        counts = np.bincount(task.validation.classes, minlength=10)
        assert np.abs(counts - total / 3).max() < 1
        assert len(task.train.classes) == 600 - len(task.validation.classes) + 500
        assert (task.train.embeddings[-500:] == digits_task.validation.embeddings).all()


def test_folds_are_as_large_as_the_validation_split_and_never_empty(
    digits_task: HeadTask,
) -> None:
    few = LabelledEmbeddings(
        digits_task.validation.embeddings[:75], digits_task.validation.classes[:75]
    )
    assert len(deal_folds(HeadTask(digits_task.train, few, 10), 3, seed=0)) == 8
    tiny = LabelledEmbeddings(digits_task.train.embeddings[:2], digits_task.train.classes[:2])
    folds = deal_folds(HeadTask(tiny, few, 10), 3, seed=0)
    assert [len(folds[fold].validation.classes) for fold in range(len(folds))] == [1, 1]


def test_folds_part_no_group_and_keep_the_classes(digits_task: HeadTask) -> None:
    groups = np.random.default_rng(0).integers(0, 150, len(digits_task.train.classes))
    train = dataclasses.replace(digits_task.train, groups=groups)
    task = dataclasses.replace(digits_task, train=train)
    folds = deal_folds(task, 3, seed=1)
    assert len(folds) == 3
    assert np.array_equal(folds.parts, deal_folds(task, 3, seed=1).parts)
    assert not np.array_equal(folds.parts, deal_folds(task, 3, seed=2).parts)
    assert all(len(set(folds.parts[groups == group])) == 1 for group in np.unique(groups))
    total = np.bincount(train.classes, minlength=10)
    for fold in range(3):
        counts = np.bincount(folds[fold].validation.classes, minlength=10)
        assert np.abs(counts - total / 3).max() <= 5


def test_there_are_no_more_folds_than_groups(digits_task: HeadTask) -> None:
    for count in (1, 2, 3):
        groups = np.arange(len(digits_task.train.classes)) % count
        train = dataclasses.replace(digits_task.train, groups=groups)
        folds = deal_folds(dataclasses.replace(digits_task, train=train), 3, seed=0)
        assert len(folds) == count
        assert {len(folds[fold].validation.classes) for fold in range(count)} == {600 // count}


class CountingTrainer(HeadTrainer):
    """Counts the heads that are really trained, on the task and on its folds."""

    trained = 0

    def train(self, *args: Any, **kwargs: Any) -> Any:
        CountingTrainer.trained += 1
        if CountingTrainer.trained == STOP_AT:
            raise KeyboardInterrupt
        return super().train(*args, **kwargs)


STOP_AT = 0


@pytest.fixture
def search(
    digits_task: HeadTask,
    digits_origin: Origin,
    small_search: Callable[..., SearchSettings],
    tmp_path: Path,
) -> Callable[[str], SearchResult]:
    settings = small_search(trials=10, finalists=3, repeats=2, epochs=3)
    description = describe(digits_task, digits_origin)

    def run(scratch: str) -> SearchResult:
        trainer = CountingTrainer(digits_task)
        return search_heads(trainer, description, settings, tmp_path / scratch)

    return run


def test_a_search_settles_among_its_finalists_and_says_so(
    search: Callable[[str], SearchResult], tmp_path: Path
) -> None:
    result = search("a")
    finalists = [each for each in result.history.trials if len(each.evaluations) > 1]
    assert len(finalists) == 3
    own = sorted((each.evaluations[0].score for each in result.history.trials), reverse=True)
    assert sorted((each.evaluations[0].score for each in finalists), reverse=True) == own[:3]
    chosen = result.history.best
    assert chosen is not None
    assert chosen.order == result.history.header.chosen
    assert result.hyperparameters.values == chosen.values
    assert chosen.score == max(each.score or 0 for each in finalists)
    assert {each.seed for each in chosen.evaluations} == {0, 1, 2}
    write_history(tmp_path / "history.jsonl", result.history)
    assert read_history(tmp_path / "history.jsonl") == result.history


def test_a_kill_among_the_finalists_loses_nothing(
    search: Callable[[str], SearchResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CountingTrainer, "trained", 0)
    untouched = search("whole").history
    whole = CountingTrainer.trained
    assert whole > 12
    CountingTrainer.trained = 0
    monkeypatch.setattr(f"{__name__}.STOP_AT", 13)
    with pytest.raises(KeyboardInterrupt):
        search("killed")
    monkeypatch.setattr(f"{__name__}.STOP_AT", 0)
    resumed = search("killed").history
    assert CountingTrainer.trained == whole + 1
    assert resumed.header.chosen == untouched.header.chosen
    assert [each.values for each in resumed.trials] == [each.values for each in untouched.trials]
    assert [each.score for each in resumed.trials] == pytest.approx(
        [each.score for each in untouched.trials], abs=1e-5
    )
