"""What images beside the labelled ones add to the time that is told."""

from pathlib import Path

import pytest
from search_digits import SIZES, search_task, small_backbones

from models.backbone_choice.backbone_choice import Candidate
from models.search.costs import Costs, Pace
from models.search.final_training import FinalTraining
from models.search.images_beside import NONE_BESIDE, ImagesBeside, read_beside, write_beside
from models.search.joint_search import JointSearch
from models.search.joint_space import frozen_backbone, usual_fine_tuning
from models.search.search_settings import SearchSettings
from models.search.second_training import SecondTraining

__all__ = ["small_backbones"]
pytestmark = pytest.mark.usefixtures("small_backbones")
SMALL = Candidate(backbone="EfficientNetLite0", weights="imagenet", image_size=SIZES[0])
EPOCHS = 14


@pytest.fixture
def costs() -> Costs:
    return Costs(120, 40, 32, (0.25, 0.5, 0.75), Pace(rate=1e-9))


def test_as_many_without_a_label_as_labelled_ones_count_at_most(
    digits_folder: Path, tmp_path: Path, costs: Costs
) -> None:
    tuned = usual_fine_tuning(search_task(digits_folder, tmp_path))

    def added(unlabelled: int) -> float:
        beside = ImagesBeside(unlabelled=unlabelled)
        return SecondTraining(costs, beside, is_few_shot=False).seconds(tuned, EPOCHS)

    assert added(0) == 0.0
    # The labelled ones are learned from once more, too.
    assert EPOCHS * costs.epoch(tuned) < added(1) < added(60) < added(120)
    assert added(120) == added(10_000)


def test_a_head_alone_reads_them_only_where_labelled_ones_are_few(costs: Costs) -> None:
    frozen = frozen_backbone(SMALL)
    many = ImagesBeside(unlabelled=500)
    assert SecondTraining(costs, many, is_few_shot=False).seconds(frozen, EPOCHS) == 0.0
    few = SecondTraining(costs, many, is_few_shot=True)
    assert not few.is_made(frozen)
    assert few.seconds(frozen, EPOCHS) == costs.embedding(SMALL, 500)


def test_a_target_costs_copies_and_a_fine_tuning_on_them(
    digits_folder: Path, tmp_path: Path, costs: Costs
) -> None:
    tuned = usual_fine_tuning(search_task(digits_folder, tmp_path))
    second = SecondTraining(costs, ImagesBeside(target=500), is_few_shot=False)
    assert second.is_made(tuned)
    # Of the target no more than 400, of each labelled image a copy.
    head = second.seconds(frozen_backbone(SMALL), EPOCHS)
    assert head > costs.embedding(SMALL, 400 + 120 + 40)
    assert second.seconds(tuned, EPOCHS) > head + EPOCHS * 2 * costs.epoch(tuned) / 1.5


def test_further_columns_cost_a_head_each_and_a_look_at_all_images(
    digits_folder: Path, tmp_path: Path, costs: Costs
) -> None:
    tuned = usual_fine_tuning(search_task(digits_folder, tmp_path))
    frozen = frozen_backbone(SMALL)
    second = SecondTraining(costs, ImagesBeside(columns=2), is_few_shot=False)
    heads = 2 * costs.epoch(frozen)
    assert second.seconds(frozen, EPOCHS) == heads
    assert second.seconds(tuned, EPOCHS) == heads + costs.embedding(SMALL, 120 + 40)
    assert not second.is_made(tuned)


def test_it_stands_in_the_place_of_the_epochs_with_the_validation_images(
    digits_folder: Path, tmp_path: Path, costs: Costs
) -> None:
    task = search_task(digits_folder, tmp_path)
    tuned = usual_fine_tuning(task)
    second = SecondTraining(costs, ImagesBeside(unlabelled=120), is_few_shot=False)
    never = task.training.model_copy(update={"refit_images": 0})
    told, without = (
        FinalTraining(each, costs, second).closing_seconds(tuned)
        for each in (task, task.model_copy(update={"training": never}))
    )
    assert told == without


def test_a_search_tells_it(digits_folder: Path, tmp_path: Path) -> None:
    task = search_task(digits_folder, tmp_path, strategy="fine_tune")

    def told(beside: ImagesBeside) -> float:
        # Of one pace, which is measured once for all in a folder.
        settings = SearchSettings(budget=9.0)
        return JointSearch(task, settings, tmp_path / "scratch", beside=beside).expected_seconds

    assert told(ImagesBeside(unlabelled=120)) > told(NONE_BESIDE)
    assert told(ImagesBeside(target=120)) > told(NONE_BESIDE)


def test_the_counts_are_read_again_and_a_damaged_file_tells_of_none(tmp_path: Path) -> None:
    file = tmp_path / "cache" / "images_beside.json"
    assert read_beside(file) == NONE_BESIDE
    file.parent.mkdir()
    write_beside(file, ImagesBeside(3, 4, 5))
    assert read_beside(file) == ImagesBeside(3, 4, 5)
    for damaged in ("", "[]", "{}", '{"unlabelled": null, "target": 1}', '{"target": 1}'):
        file.write_text(damaged)
        assert read_beside(file) == NONE_BESIDE
