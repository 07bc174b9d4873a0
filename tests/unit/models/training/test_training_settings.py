import pytest

from models.errors import UsageError
from models.training.training_settings import TrainingSettings, choose_strategy


def test_an_unknown_setting_is_named():
    with pytest.raises(UsageError, match="unfreezing"):
        TrainingSettings.from_json('{"unfreezing": 1.0}')


@pytest.mark.parametrize(("said", "meant"), [("true", "on"), ("false", "off"), ('"on"', "on")])
def test_a_switch_may_be_written_as_yaml_reads_it(said, meant):
    assert TrainingSettings.from_json(f'{{"mixed_precision": {said}}}').mixed_precision == meant


def test_auto_goes_by_the_number_of_images_and_says_so():
    few = choose_strategy(TrainingSettings(), 149)
    assert few.name == "feature_extraction"
    assert "149" in few.reason
    assert "150" in few.reason
    many = choose_strategy(TrainingSettings(), 150)
    assert (many.name, "150" in many.reason) == ("fine_tune", True)
    asked = choose_strategy(TrainingSettings(strategy="fine_tune"), 3)
    assert (asked.name, asked.reason) == ("fine_tune", "asked for in the configuration")


@pytest.mark.parametrize(
    ("images", "epochs"), [(1, 10), (320, 10), (416, 8), (1000, 4), (1600, 3), (100_000, 3)]
)
def test_with_few_images_more_epochs_are_waited_for_a_better_one(images, epochs):
    assert TrainingSettings().waits(images) == epochs
    assert TrainingSettings(patience=2).waits(images) == 2
    assert TrainingSettings(patience=2).waits_at_last == 2


@pytest.mark.parametrize(
    ("asked", "has_replayed", "weighting"),
    [
        ("auto", False, "none"),
        ("auto", True, "balanced"),
        ("none", True, "none"),
        ("balanced", False, "balanced"),
    ],
)
def test_classes_are_weighed_alike_where_images_are_replayed(asked, has_replayed, weighting):
    settings = TrainingSettings(class_weights=asked).for_images(has_replayed=has_replayed)
    assert settings.weighting == weighting
    assert settings.for_images(has_replayed=has_replayed) == settings
