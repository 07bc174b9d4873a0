from pathlib import Path

import pytest
from search_digits import search_task

from models.history.search_space import Values
from models.search.joint_space import (
    AUGMENT,
    LEARNING_RATE,
    SIZE,
    UNFREEZE,
    comparable,
    configurations,
    in_words,
    is_frozen,
    space_of,
    usual_fine_tuning,
    with_choice,
)


def test_the_usual_configuration_is_the_configured_one_and_comes_first(
    digits_folder: Path, tmp_path: Path
) -> None:
    task = search_task(digits_folder, tmp_path, unfreeze=0.4, learning_rate=2e-4, augment=False)
    many, few = configurations(task, images=1000), configurations(task, images=20)
    assert many[0] == usual_fine_tuning(task)
    assert (many[0][UNFREEZE], many[0][LEARNING_RATE], many[0][AUGMENT]) == (0.4, 2e-4, "off")
    assert few[0] == {**{name: many[0][name] for name in ("model.backbone", "model.weights", SIZE)},
                      UNFREEZE: 0.0}  # fmt: skip
    assert sorted(map(str, few)) == sorted(map(str, many))
    assert len({str(each) for each in many}) == len(many)
    # Two frozen backbones; four shares, three rates, with and without changed views, of each.
    assert len(many) == 2 * (1 + 4 * 3 * 2)


@pytest.mark.parametrize(
    ("strategy", "frozen", "unfrozen"),
    [("feature_extraction", 2, 0), ("fine_tune", 0, 36), ("auto", 2, 36)],
)
def test_a_strategy_that_was_asked_for_bounds_the_space(
    digits_folder: Path, tmp_path: Path, strategy: str, frozen: int, unfrozen: int
) -> None:
    task = search_task(digits_folder, tmp_path, strategy=strategy)
    pool = configurations(task, images=500)
    assert sum(map(is_frozen, pool)) == frozen
    assert len(pool) - frozen == unfrozen
    space = space_of(pool)
    parameters = {each.name: each for each in space.parameters}
    assert all(parameters[name].contains(value) for each in pool for name, value in each.items())


def test_what_was_chosen_becomes_the_settings_of_the_training(
    digits_folder: Path, tmp_path: Path
) -> None:
    task = search_task(digits_folder, tmp_path, epochs=7)
    for values in configurations(task, images=500):
        settings = with_choice(task.training, values)
        assert settings.epochs == 7
        if is_frozen(values):
            assert settings.strategy == "feature_extraction"
        else:
            assert settings.strategy == "fine_tune"
            assert settings.unfreeze == values[UNFREEZE]
            assert settings.learning_rate == values[LEARNING_RATE]
            assert settings.augment == (values[AUGMENT] == "on")
    assert with_choice(task.training, {}) == task.training


def test_configurations_of_other_sizes_can_be_likened() -> None:
    def values(size: int) -> Values:
        return {
            "model.backbone": "EfficientNetLite0",
            "model.weights": "imagenet",
            SIZE: size,
            UNFREEZE: 0.5,
            LEARNING_RATE: 3e-4,
            AUGMENT: "on",
        }

    assert comparable(values(64), 96) == comparable(values(160), 240)
    assert comparable(values(96), 96) != comparable(values(64), 96)
    assert in_words(values(64)) == (
        "EfficientNetLite0 at 64 px, the top 50% fine-tuned at a rate of 0.0003 with augmentation"
    )
