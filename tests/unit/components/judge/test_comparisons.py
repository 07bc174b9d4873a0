import numpy as np
import pytest

from components.class_changes import ClassChange
from components.judge.checks import Check
from components.judge.comparisons import check_baseline
from components.judge.paired_answers import AsServed, PairedAnswers
from components.judge.prediction_file import Predictions

CLASSES = ("a", "b")


def answers(right: np.ndarray) -> Predictions:
    probabilities = np.where(right[:, None], [[0.9, 0.1]], [[0.2, 0.8]]).astype(np.float32)
    names = [str(number) for number in range(len(right))]
    return Predictions(names, ["a"] * len(right), CLASSES, probabilities)


def paired(old: np.ndarray, new: np.ndarray, was_test: int = 0, **more) -> PairedAnswers:
    before = np.arange(len(old)) < was_test
    served = AsServed(["a"] * len(old), old, new)
    return PairedAnswers(
        answers(old),
        answers(new),
        before,
        served=served,
        new_classes=CLASSES,
        **{"left_out": 0, "changes": (), **more},
    )


def checks(found: PairedAnswers | None, challenger: str = "not_worse") -> dict[str, Check]:
    return {each.name: each for each in check_baseline(found, 0.01, challenger)}


RIGHT = np.ones(200, bool)


def test_a_loss_on_the_old_test_images_alone_is_a_regression() -> None:
    old, new = RIGHT.copy(), RIGHT.copy()
    old[100:120] = False
    new[:15] = False
    found = checks(paired(old, new, was_test=100))
    assert found["max_accuracy_drop"].passed
    assert not found["max_accuracy_drop_old"].passed
    assert "on 100 test images that it was tested on too" in found["max_accuracy_drop_old"].words
    assert "a regression (evaluation.max_accuracy_drop)" in found["max_accuracy_drop_old"].words
    assert found["max_accuracy_drop_new"].passed
    assert found["max_accuracy_drop_new"].interval is not None


def test_noise_on_a_part_is_no_regression() -> None:
    new = RIGHT.copy()
    new[:4] = False
    found = checks(paired(RIGHT, new, was_test=100))
    assert not found["max_accuracy_drop"].passed  # 4 of 200, in 6 % of cases by chance
    assert found["max_accuracy_drop_old"].passed


@pytest.mark.parametrize(("newly_right", "passes"), [(0, False), (3, False), (12, True)])
def test_a_challenger_that_must_be_better_is_not_blessed_for_noise(
    newly_right: int, passes: bool
) -> None:
    old = RIGHT.copy()
    old[:newly_right] = False
    found = checks(paired(old, RIGHT), "better")
    assert found["challenger"].passed == passes
    assert "evaluation.challenger: better" in found["challenger"].words


def test_other_classes_are_named_and_need_not_be_better() -> None:
    change = ClassChange("added", (), ("c",), 30)
    found = checks(paired(RIGHT, RIGHT, changes=(change,), left_out=4), "better")
    assert list(found) == ["max_accuracy_drop"]
    words = found["max_accuracy_drop"].words
    assert "between the 2 classes that both know; without" in words
    assert "without 4 test images that it had learned" in words


def test_without_an_image_or_an_earlier_model_nothing_is_compared() -> None:
    for none in (None, paired(RIGHT[:0], RIGHT[:0], left_out=9)):
        (check,) = check_baseline(none, 0.01, "better")
        assert (check.passed, check.value) == (True, None)
