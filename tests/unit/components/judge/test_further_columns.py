import numpy as np
import pytest

from components.evaluation.evaluation_settings import EvaluationSettings
from components.judge.further_columns import judge_column
from components.judge.paired_answers import AsServed, PairedAnswers
from components.judge.prediction_file import Predictions

CLASSES = ("new", "old")
SETTINGS = EvaluationSettings()


def predictions(truth: np.ndarray, answers: np.ndarray) -> Predictions:
    return Predictions(
        [str(row) for row in range(len(truth))],
        [CLASSES[place] for place in truth],
        CLASSES,
        np.eye(2, dtype=np.float32)[answers] * 0.8 + 0.1,
    )


def paired(old: np.ndarray, new: np.ndarray) -> PairedAnswers:
    """Two models of which it is said which images they answer rightly."""
    truth = np.zeros(len(old), int)
    before, after = (predictions(truth, (~right).astype(int)) for right in (old, new))
    served = AsServed([], old[:0], new[:0])
    return PairedAnswers(before, after, old, 0, (), served, CLASSES)


TRUTH = np.repeat([0, 1], [90, 10])


def test_a_head_is_beside_its_most_frequent_class() -> None:
    answers = TRUTH.copy()
    answers[90:93] = 0
    result, (check,) = judge_column("state", predictions(TRUTH, answers), None, SETTINGS)
    assert result is not None
    assert (result.frequent, result.frequent_share) == ("new", 0.9)
    assert result.quality.accuracy == 0.97
    assert result.gain == pytest.approx(0.07)
    assert (result.drop, result.drop_interval) == (None, None)
    assert check.passed
    assert check.name == "further_labels/state"
    assert "always 'new' would have 0.900" in check.words


@pytest.mark.parametrize("newly_right", [0, 1, 2])
def test_what_is_no_better_than_that_stops_the_push(newly_right: int) -> None:
    answers = np.zeros(100, int)
    answers[90 : 90 + newly_right] = 1
    _, (check,) = judge_column("state", predictions(TRUTH, answers), None, SETTINGS)
    assert not check.passed
    assert "not shown to be better" in check.words
    assert "out of data.further_labels" in check.words


def test_answers_by_chance_are_seldom_taken_for_better() -> None:
    random = np.random.default_rng(0)
    passed = 0
    for _ in range(200):
        truth, answers = random.integers(0, 2, (2, 120))
        _, (check,) = judge_column("state", predictions(truth, answers), None, SETTINGS)
        passed += check.passed
    assert passed < 20


def test_a_loss_against_the_last_blessed_model_stops_the_push() -> None:
    good = predictions(TRUTH, TRUTH)
    old, new = np.ones(200, bool), np.ones(200, bool)
    new[:12] = False
    result, (gain, drop) = judge_column("state", good, paired(old, new), SETTINGS)
    assert gain.passed
    assert not drop.passed
    assert drop.name == "max_accuracy_drop/state"
    assert "a regression (evaluation.max_accuracy_drop)" in drop.words
    assert result is not None
    assert result.drop == pytest.approx(0.06)
    assert all(each.passed for each in judge_column("state", good, paired(old, old), SETTINGS)[1])


def test_without_a_test_image_there_is_no_verdict() -> None:
    empty = predictions(np.zeros(0, int), np.zeros(0, int))
    result, (check,) = judge_column("state", empty, None, SETTINGS)
    assert result is None
    assert not check.passed
