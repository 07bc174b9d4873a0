from pathlib import Path

import pytest
from search_digits import search_task

from models.backbone_choice.backbone_choice import Candidate
from models.history.search_space import Values
from models.search.costs import Costs, Pace
from models.search.joint_space import (
    LEARNING_RATE,
    UNFREEZE,
    candidate_of,
    configurations,
    frozen_backbone,
    usual_fine_tuning,
)
from models.search.search_task import SearchTask
from models.search.winner import at_least_frozen, fine_tuning_within, most_promising

SMALL, LARGE = (
    Candidate(backbone="EfficientNetLite0", weights="imagenet", image_size=size)
    for size in (64, 128)
)
IMAGES, EPOCHS = 200, 10


@pytest.fixture
def task(digits_folder: Path, tmp_path: Path) -> SearchTask:
    return search_task(digits_folder, tmp_path).model_copy(update={"candidates": (SMALL, LARGE)})


def costs(images: int = IMAGES) -> Costs:
    return Costs(images, 50, 32, (0.25, 0.5, 0.75), Pace(rate=1e-10))


def ends(task: SearchTask, **known: float) -> list[tuple[Values, float]]:
    """The scores that fine-tunings of so many hundredths of the larger images' layers end at."""
    return [
        (values, known.get(f"top{100 * values[UNFREEZE]:.0f}", 0.0))
        for values in configurations(task, IMAGES)
    ]


def test_a_fine_tuning_that_has_just_begun_does_not_lose_to_its_own_start(
    task: SearchTask,
) -> None:
    small, large = map(frozen_backbone, (SMALL, LARGE))
    begun = usual_fine_tuning(task)
    promises = [(small, 0.9), (large, 0.8), (begun, 0.7)]
    assert at_least_frozen(promises) == [(small, 0.9), (large, 0.8), (begun, 0.9)]
    assert at_least_frozen([(large, 0.8), (begun, 0.7)]) == [(large, 0.8), (begun, 0.7)]
    assert most_promising(promises, costs()).begun == begun


def test_a_doubling_of_the_work_has_to_bring_its_price() -> None:
    promises = [(frozen_backbone(SMALL), 0.900), (frozen_backbone(LARGE), 0.909)]
    # The larger images are four times the work.
    assert most_promising(promises, costs(), price=0.004).begun == frozen_backbone(LARGE)
    assert most_promising(promises, costs(), price=0.005).begun == frozen_backbone(SMALL)
    assert "its cost counted" in most_promising(promises, costs(), price=0.005).words


@pytest.mark.parametrize(("ahead", "wins"), [(0.03, False), (0.04, True)])
def test_the_best_of_many_has_to_beat_the_usual_one_by_more_than_luck(
    task: SearchTask, ahead: float, wins: bool
) -> None:
    usual, other = usual_fine_tuning(task), frozen_backbone(LARGE)
    promises = [(usual, 0.9), (frozen_backbone(SMALL), 0.8), (other, 0.9 + ahead)]
    # On 50 images 0.035.
    won = most_promising(promises, costs(), usual=usual)
    assert won.begun == (other if wins else usual)
    assert ("on 50 validation images" in won.words) is not wins
    assert f"{0.9 + ahead:.3f}, the most of 3" in won.words
    # Where the usual one failed, nothing is compared with it.
    assert most_promising(promises[1:], costs(), usual=usual).begun == other


def test_what_is_expected_to_end_highest_is_trained_where_it_fits(task: SearchTask) -> None:
    known = costs()
    foretold = ends(task, top25=0.91, top75=0.95)
    best = fine_tuning_within(1e9, task, known, LARGE, foretold, EPOCHS)
    assert best is not None
    assert (best[UNFREEZE], best["model.image_size"]) == (0.75, 128)
    deep = [each for each in configurations(task, IMAGES) if each[UNFREEZE] == 0.75]
    less = 0.99 * min(known.training(each, EPOCHS) for each in deep if candidate_of(each) == LARGE)
    second = fine_tuning_within(less, task, known, LARGE, foretold, EPOCHS)
    assert second is not None
    assert second[UNFREEZE] == 0.25
    assert known.training(second, EPOCHS) <= less
    assert fine_tuning_within(1.0, task, known, LARGE, ends(task), EPOCHS) is None


def test_without_a_past_it_is_the_usual_one_or_what_is_like_it(task: SearchTask) -> None:
    known, usual = costs(), usual_fine_tuning(task, LARGE)
    assert fine_tuning_within(1e9, task, known, LARGE, ends(task), EPOCHS) == usual
    less = known.training(usual, EPOCHS) * 0.99
    cheaper = fine_tuning_within(less, task, known, LARGE, ends(task), EPOCHS)
    assert cheaper is not None
    assert cheaper[LEARNING_RATE] == usual[LEARNING_RATE]
    assert float(cheaper[UNFREEZE]) < float(usual[UNFREEZE])


def test_few_images_are_not_fine_tuned_on(task: SearchTask) -> None:
    few = costs(images=100)
    assert fine_tuning_within(1e9, task, few, LARGE, ends(task), EPOCHS) is None
