import numpy as np
import pytest

from components.judge import checks
from components.judge.slices import accuracy_slices
from models import metrics
from models.data import example_schema
from models.number_text import interval_text

CLASSES = ("ant", "bee")


def _quality(rights_of_ant: int, rights_of_bee: int, images: int = 10) -> metrics.Quality:
    truth = np.repeat([0, 1], images)
    right = np.concatenate([np.arange(images) < rights_of_ant, np.arange(images) < rights_of_bee])
    answer = np.where(right, truth, 1 - truth)
    return metrics.quality(truth, np.eye(2)[answer] * 0.8 + 0.1, CLASSES, 2)


def _rights(newly_wrong: int, newly_right: int, same: int) -> tuple[np.ndarray, np.ndarray]:
    old = np.array([True] * newly_wrong + [False] * newly_right + [True] * same)
    new = np.array([False] * newly_wrong + [True] * newly_right + [True] * same)
    return old, new


def test_accuracy_exactly_at_the_limit_passes():
    assert checks.check_accuracy(_quality(5, 5), 0.5).passed


def test_accuracy_below_the_limit_names_the_key():
    check = checks.check_accuracy(_quality(5, 4), 0.5)
    assert not check.passed
    assert "0.450" in check.words
    assert "evaluation.min_accuracy" in check.words


def test_the_class_of_low_recall_is_named():
    check = checks.check_class_recall(_quality(9, 2), 0.5)
    assert (check.passed, check.value) == (False, 0.2)
    assert "'bee'" in check.words
    assert checks.check_class_recall(_quality(9, 2), 0.2).passed


def test_calibration_error_above_the_limit_fails():
    quality = _quality(5, 5)  # half right at 0.9
    assert checks.check_calibration(quality, 0.3).passed is False
    assert checks.check_calibration(quality, 0.41).passed


@pytest.mark.parametrize(
    ("newly_wrong", "newly_right", "passed"),
    [
        (1, 0, True),  # a drop of the limit exactly
        (3, 0, True),  # beyond the limit, but one in eight by chance
        (4, 0, False),
        (14, 9, True),  # two good models that differ much: chance
        (25, 9, False),
        (0, 9, True),
    ],
)
def test_a_drop_fails_beyond_the_limit_and_beyond_chance(newly_wrong, newly_right, passed):
    old, new = _rights(newly_wrong, newly_right, 100 - newly_wrong - newly_right)
    check = checks.check_drop("max_accuracy_drop", "the old one", old, new, 0.01)
    assert check.passed is passed
    assert check.value == pytest.approx((newly_wrong - newly_right) / 100)


def test_a_drop_that_chance_explains_says_so():
    check = checks.check_drop("max_accuracy_drop", "the old one", *_rights(3, 0, 97), 0.01)
    assert "12% of cases" in check.words
    assert "not a regression" in check.words


def _words(newly_wrong: int, newly_right: int, same: int) -> str:
    rights = _rights(newly_wrong, newly_right, same)
    return checks.check_drop("max_accuracy_drop", "the old one", *rights, 0.01).words


def test_every_comparison_is_told_with_its_interval_and_what_differs():
    assert _words(1, 1, 98) == (
        "Accuracy is that of the old one, give or take 0.045 (1 of 100 images newly wrong, "
        "1 newly right)"
    )
    assert _words(0, 9, 91) == (
        "Accuracy is 0.090 [0.034, 0.162] above the old one (0 of 100 images newly wrong, "
        "9 newly right)"
    )
    assert _words(1, 0, 99) == (
        "Accuracy is 0.010 [-0.028, 0.054] below the old one (1 of 100 images newly wrong, "
        "0 newly right); 0.01 is allowed"
    )
    assert _words(25, 9, 66) == (
        "Accuracy is 0.160 [0.047, 0.269] below the old one (25 of 100 images newly wrong, "
        "9 newly right); 0.01 is allowed, and equally good models would differ so much in 0% of "
        "cases: a regression (evaluation.max_accuracy_drop)"
    )


def test_a_comparison_without_another_model_passes_in_words():
    check = checks.nothing_to_compare("max_accuracy_drop", 0.01, "nothing is there")
    assert check == checks.Check("max_accuracy_drop", True, None, 0.01, "nothing is there")


def test_many_weak_classes_are_counted_and_five_are_named():
    classes = tuple("abcdefg")
    truth = np.arange(7)
    quality = metrics.quality(truth, np.eye(7)[(truth + 1) % 7] * 0.5 + 0.05, classes, 2)
    words = checks.check_class_recall(quality, 0.5).words
    assert words.startswith("The lowest recall is 0.000 [0.000, 0.793], of 'a'; 7 of 7 classes")
    assert words.endswith("'a', 'b', 'c', 'd', 'e' and 2 more")
    five = metrics.quality(truth[:5], np.eye(7)[(truth[:5] + 1) % 7] * 0.5 + 0.05, classes, 2)
    assert checks.check_class_recall(five, 0.5).words.endswith("'d', 'e'")


@pytest.mark.parametrize(("limit", "passed"), [(0.0, True), (0.1, False)])
def test_recall_of_classes_without_images_says_nothing(limit, passed):
    unknown = metrics.quality(np.array([-1, -1]), np.full((2, 2), 0.5), CLASSES, 1)
    check = checks.check_class_recall(unknown, limit)
    assert (check.passed, check.value) == (passed, None)


def test_calibration_exactly_at_the_limit_passes():
    quality = _quality(5, 5)
    check = checks.check_calibration(quality, quality.calibration_error)
    assert check.passed
    interval = interval_text(quality.calibration_error_interval)
    assert check.words == f"Its probabilities are off by 0.400 {interval} on average"
    assert "evaluation.max_calibration_error" in checks.check_calibration(quality, 0.3).words


def test_the_reason_of_a_refusal_holds_all_failures():
    failed = [checks.Check(name, False, 0.1, 0.5, f"{name} is low") for name in ("a", "b")]
    good = checks.Check("c", True, 1.0, 0.5, "c is fine")
    verdict = checks.verdict((good, *failed))
    assert (verdict.blessed, verdict.reason) == (False, "a is low; b is low.")


def test_a_blessing_gives_its_reason():
    quality = _quality(9, 9)
    passed = (checks.check_accuracy(quality, 0.5), checks.check_class_recall(quality, 0.5))
    verdict = checks.verdict(passed)
    assert verdict.blessed
    assert verdict.reason == (
        "Accuracy 0.900 [0.699, 0.972] on 20 test images; all 2 checks passed."
    )


def test_what_the_most_frequent_class_would_have_stands_behind_the_accuracy():
    aside = ", not shown to be more than always 'ant' would have (0.900)"
    check = checks.check_accuracy(_quality(9, 9), 0.95, aside)
    assert f"on 20 test images{aside}, below the least allowed, 0.95" in check.words


def test_slices_over_values_and_quarters():
    columns = {name: np.full(8, 7) for name in example_schema.DERIVED}
    columns[example_schema.FORMAT] = np.array(["png", "jpeg"] * 4, dtype=object)
    columns[example_schema.SHARPNESS] = np.linspace(0, 0.7, 8)
    slices = accuracy_slices(columns, np.array([True] * 4 + [False] * 4))
    assert {each.feature for each in slices} == {example_schema.FORMAT, example_schema.SHARPNESS}
    assert [(each.value, each.images) for each in slices[:2]] == [("jpeg", 4), ("png", 4)]
    quarters = slices[2:]
    assert sum(each.images for each in quarters) == 8
    assert [each.accuracy for each in quarters][:1] == [1.0]
    assert quarters[-1].accuracy == 0.0


def test_a_column_that_was_asked_for_is_shown_though_it_has_one_value():
    column = example_schema.slice_feature("site")
    columns = {name: np.full(4, 7) for name in example_schema.DERIVED}
    columns[column] = np.full(4, "north", dtype=object)
    (only,) = accuracy_slices(columns, np.array([True, True, True, False]))
    assert (only.feature, only.value, only.images, only.accuracy) == (column, "north", 4, 0.75)


def test_equal_values_stay_in_one_slice():
    columns = {name: np.full(8, 7.0) for name in example_schema.DERIVED}
    columns[example_schema.WIDTH] = np.array([5, 5, 5, 5, 5, 5, 9, 9])
    slices = accuracy_slices(columns, np.ones(8, bool))
    assert [(each.value, each.images) for each in slices] == [("5", 6), ("9", 2)]


@pytest.mark.parametrize(
    ("rights", "passes"),
    # With 2 to 15 and 0 to 5 images changed the interval lies above 0; with 3 to 9 it does not.
    [((2, 15, 83), True), ((0, 5, 20), True), ((3, 9, 88), False), ((0, 0, 9), False)],
)
def test_better_is_what_the_whole_interval_says(rights, passes):
    old, new = _rights(*rights)
    check = checks.check_gain("the last blessed model", old, new)
    gain = new.mean() - old.mean()
    low, high = metrics.paired_drop(new, old).interval
    assert (check.name, check.passed) == ("challenger", passes)
    assert check.value == pytest.approx(gain)
    assert check.interval == pytest.approx((low, high))
    assert passes == (low > 0)
    assert f"it gains {gain:.3f} {interval_text((low, high))} of accuracy" in check.words
    assert ("better by more than chance" in check.words) == passes
