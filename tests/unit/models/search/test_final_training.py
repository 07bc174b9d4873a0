from pathlib import Path

import pytest
from search_digits import search_task

from models.history.records import Curve, Evaluation, TrialRecord
from models.history.search_space import Values
from models.search.costs import Costs, Pace
from models.search.final_training import FinalTraining
from models.search.joint_space import (
    MOST_EPOCHS,
    candidate_of,
    frozen_backbone,
    usual_fine_tuning,
    with_choice,
)
from models.search.search_task import SearchTask

EPOCH_SECONDS = 2.0


@pytest.fixture
def task(digits_folder: Path, tmp_path: Path) -> SearchTask:
    return search_task(digits_folder, tmp_path, epochs=30, batch_size=32)


@pytest.fixture
def costs() -> Costs:
    return Costs(120, 40, 32, (0.25, 0.5, 0.75), Pace(rate=1e-10))


def begun(values: Values, epochs: int = 4, paused_after: int | None = 4) -> TrialRecord:
    column = (0.5,) * epochs
    curve = Curve(
        train_loss=column,
        validation_loss=column,
        validation_accuracy=column,
        seconds=(EPOCH_SECONDS,) * epochs,
        scores=column,
    )
    evaluation = Evaluation(
        seed=1,
        score=0.5,
        best_epoch=0,
        validation_loss=0.5,
        validation_accuracy=0.5,
        seconds=EPOCH_SECONDS * epochs,
        curve=curve,
        paused_after=paused_after,
    )
    return TrialRecord(
        order=0,
        status="completed",
        values=dict(values),
        score=0.5,
        evaluations=(evaluation,),
        seconds=evaluation.seconds,
    )


def test_a_training_that_goes_on_has_the_epochs_that_fit(task: SearchTask, costs: Costs) -> None:
    training, usual = FinalTraining(task, costs), usual_fine_tuning(task)
    around = costs.again() + training.closing_seconds(usual)
    assert training.closing_seconds(usual) > 0
    records = [begun(frozen_backbone(candidate_of(usual))), begun(usual)]

    def epochs(more: float) -> int | None:
        return training.epochs_within(around + more * EPOCH_SECONDS, usual, records)

    assert epochs(14.5) == 4 + 14
    assert epochs(25.5) == 4 + 25
    assert epochs(26.5) is None, "it may take as many as are configured"
    assert epochs(3.0) == epochs(-50.0) == 12, "as many as most fine-tunings need"


def test_one_that_was_not_begun_pays_for_its_start(task: SearchTask, costs: Costs) -> None:
    training, usual = FinalTraining(task, costs), usual_fine_tuning(task)
    seconds = training.closing_seconds(usual) + costs.training(usual, 20)
    assert training.epochs_within(seconds + 1e-6, usual, []) == 20


def test_what_is_frozen_or_trains_few_epochs_is_not_bounded(task: SearchTask, costs: Costs) -> None:
    usual = usual_fine_tuning(task)
    frozen = frozen_backbone(candidate_of(usual))
    assert FinalTraining(task, costs).epochs_within(0.0, frozen, [begun(frozen)]) is None
    short = task.training.model_copy(update={"epochs": 12})
    bounded = FinalTraining(task.model_copy(update={"training": short}), costs)
    assert bounded.epochs_within(0.0, usual, [begun(usual)]) is None


def test_what_is_left_counts_no_epoch_beyond_the_bound(task: SearchTask, costs: Costs) -> None:
    training, usual = FinalTraining(task, costs), usual_fine_tuning(task)
    around = costs.again() + training.closing_seconds(usual)
    records = [begun(usual)]
    # 14 epochs in all, of which 4 are done.
    assert training.left(usual, records, None) == pytest.approx(10 * EPOCH_SECONDS + around)
    assert training.left(usual, records, 13) == pytest.approx(9 * EPOCH_SECONDS + around)


def test_what_begins_anew_does_all_its_epochs_again(task: SearchTask, costs: Costs) -> None:
    training, usual = FinalTraining(task, costs), usual_fine_tuning(task)
    for paused_after in (4, None):
        records = [begun(usual, paused_after=paused_after)]
        goes_on = training.left(usual, records, None)
        anew = training.left(usual, records, None, begins_anew=True)
        # And what the frozen layers make of the images has gone with the state.
        start = costs.further_start(usual, costs.images + costs.validation_images)
        assert anew == pytest.approx(goes_on + 4 * EPOCH_SECONDS + start)


def test_how_long_to_wait_decides_what_is_expected(task: SearchTask, costs: Costs) -> None:
    waits = task.training.model_copy(update={"patience": 4})
    assert FinalTraining(task, costs).epochs == 14
    assert FinalTraining(task.model_copy(update={"training": waits}), costs).epochs == 12 + 4


def test_what_has_ended_is_still_closed(task: SearchTask, costs: Costs) -> None:
    training, usual = FinalTraining(task, costs), usual_fine_tuning(task)
    ended = [begun(usual, paused_after=None)]
    closing = training.closing_seconds(usual)
    assert training.left(usual, ended, None) == pytest.approx(costs.again() + closing)
    frozen = frozen_backbone(candidate_of(usual))
    # It is exported, and learns from all images within seconds.
    assert costs.epoch(frozen) < training.left(frozen, [begun(frozen)], None) < closing


def test_the_bound_reaches_the_training(task: SearchTask) -> None:
    usual = usual_fine_tuning(task)
    assert with_choice(task.training, {**usual, MOST_EPOCHS: 15}).epochs == 15
    assert with_choice(task.training, usual).epochs == 30
