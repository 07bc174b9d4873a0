import math

import pytest

from models.head.selection_score import METRIC, curve_scores, selection_score
from models.history.records import Curve
from models.history.shipped import starter_files
from models.history.tuning_history import read_history


@pytest.mark.parametrize(
    ("accuracy", "loss", "classes", "score"),
    [
        (0.8, 0.0, 10, 0.8),
        # Half the loss of a guess costs half a tenth, for any number of classes.
        (0.8, math.log(10) / 2, 10, 0.75),
        (0.8, math.log(2) / 2, 2, 0.75),
        (0.8, math.log(10), 10, 0.7),
        (0.8, 50.0, 10, 0.7),
        (1.0, 0.0, 2, 1.0),
        (0.0, 50.0, 2, -0.1),
    ],
)
def test_the_score_is_the_accuracy_less_a_tenth_of_the_relative_loss(
    accuracy: float, loss: float, classes: int, score: float
) -> None:
    assert selection_score(accuracy, loss, classes) == pytest.approx(score)


def test_a_gap_of_a_tenth_of_a_nat_among_ten_classes_counts_less_than_half_a_point() -> None:
    gap = selection_score(0.85, 0.5, 10) - selection_score(0.85, 0.6, 10)
    assert gap == pytest.approx(0.0043, abs=5e-5)


def test_a_curve_has_a_score_for_each_epoch() -> None:
    curve = Curve(
        train_loss=(0.9, 0.8), validation_loss=(math.log(4), 0.0), validation_accuracy=(0.5, 0.6)
    )
    assert curve_scores(curve, 4) == pytest.approx([0.4, 0.6])


def test_the_histories_that_are_shipped_name_this_score() -> None:
    assert {read_history(file).header.search.metric for file in starter_files()} == {METRIC}
