"""What a past's score is, and in which unit."""

import pytest

from models.history.imports.foreign_past import Direction, ForeignPastError, Wanted
from models.history.imports.scores import (
    choose_direction,
    choose_metric,
    direction_of,
    is_usable,
    unit_of,
)


@pytest.mark.parametrize(
    ("metric", "direction"),
    [
        ("val_accuracy", "max"),
        ("valAccuracy", "max"),
        ("eval/f1", "max"),
        ("top5_acc", "max"),
        ("loss", "min"),
        ("val_log_loss", "min"),
        ("mean_squared_error", "min"),
        ("neg_mean_squared_error", None),
        ("accuracy_loss", None),
        ("score", None),
        ("glossary", None),
    ],
)
def test_a_name_tells_the_direction_or_does_not(metric: str, direction: Direction | None) -> None:
    assert direction_of(metric) == direction


def test_what_the_name_does_not_tell_is_asked_for() -> None:
    with pytest.raises(ForeignPastError, match="--direction"):
        choose_direction("score", Wanted(), "study")
    assert choose_direction("score", Wanted(direction="min"), "study") == "min"
    assert choose_direction("accuracy", Wanted(direction="min"), "study") == "min"


def test_a_score_is_the_only_figure_or_the_one_that_is_named() -> None:
    assert choose_metric(["loss", "loss"], Wanted(), "study") == "loss"
    assert choose_metric(["loss", "acc"], Wanted(metric="acc"), "study") == "acc"
    with pytest.raises(ForeignPastError, match="no figure was kept"):
        choose_metric([], Wanted(), "study")


@pytest.mark.parametrize(
    ("metric", "direction", "scores", "unit"),
    [
        ("val_accuracy", "max", [0.1, 0.9], 1.0),
        ("val_accuracy", "max", [0.9, 1.0000001], 1.0),
        ("val_accuracy", "max", [10.0, 91.5], 100.0),
        ("val_accuracy", "max", [0.5, 40.0, 88.0, 91.5], 100.0),
        ("accuracy", "min", [-0.9, -0.8], 1.0),
        ("reward", "max", [-3.0, 250.0], 1.0),
        ("loss", "min", [0.1, 90.0], 1.0),
    ],
)
def test_only_percentages_become_shares(
    metric: str, direction: Direction, scores: list[float], unit: float
) -> None:
    assert unit_of(metric, direction, scores, "study") == unit


@pytest.mark.parametrize("scores", [[-0.1, 0.9], [50.0, 120.0], [0.8, 0.9, 91.0]])
def test_what_is_neither_a_share_nor_a_percentage_is_refused(scores: list[float]) -> None:
    with pytest.raises(ForeignPastError, match="val_accuracy"):
        unit_of("val_accuracy", "max", scores, "study")


@pytest.mark.parametrize("score", [float("nan"), float("inf"), 10**400, True, "1", None])
def test_what_is_no_finite_number_is_no_score(score: object) -> None:
    assert not is_usable(score)
