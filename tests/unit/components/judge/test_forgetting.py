import numpy as np
import pytest

from components.class_changes import ClassChange
from components.judge.forgetting import check_forgetting, find_forgetting, images_to_remember
from components.judge.paired_answers import AsServed, PairedAnswers
from components.judge.prediction_file import Predictions

NONE = Predictions([], [], (), np.zeros((0, 0), np.float32))


def served(**right: tuple[int, int]) -> AsServed:
    """A hundred images of each class: how many each model answers rightly."""
    labels = [label for label in right for _ in range(100)]
    before, after = (
        np.concatenate([np.arange(100) < counts[place] for counts in right.values()])
        for place in (0, 1)
    )
    return AsServed(labels, before, after)


def paired(answers: AsServed, new_classes: tuple[str, ...], *changes: ClassChange) -> PairedAnswers:
    return PairedAnswers(NONE, NONE, np.zeros(0, bool), 0, changes, answers, new_classes)


def test_what_was_forgotten_is_told_by_class_the_most_forgotten_first() -> None:
    found = find_forgetting(served(a=(90, 80), b=(70, 75), c=(100, 60)), ("a", "b", "c", "new"))
    assert found is not None
    assert (found.images, found.before, found.after) == pytest.approx((300, 260 / 300, 215 / 300))
    assert found.drop == pytest.approx(0.15)
    low, high = found.drop_interval
    assert 0.10 < low < 0.15 < high < 0.20
    assert [each.label for each in found.classes] == ["c", "a", "b"]
    assert found.classes[0].drop == pytest.approx(0.4)
    assert found.lost == ()


@pytest.mark.parametrize(("after", "limit", "passes"), [(95, 0.05, True), (60, 0.05, False)])
def test_more_than_the_limit_and_more_than_chance_stops_a_push(
    after: int, limit: float, passes: bool
) -> None:
    answers = served(a=(97, after), b=(97, 97))
    found = find_forgetting(answers, ("a", "b", "new"))
    check = check_forgetting(answers, found, limit)
    assert check.passed == passes
    assert check.value == pytest.approx((97 - after) / 200)
    assert f"'a' (0.970 before, {after / 100:.3f} now)" in check.words
    assert ("a regression (evaluation.max_forgetting)" in check.words) is not passes
    assert ("data.spans: all" in check.words) is not passes


def test_a_class_that_the_schema_has_and_the_model_lost_is_forgotten() -> None:
    change = ClassChange("removed", ("b",), (), 0)
    both = paired(served(a=(100, 100), b=(100, 0)), ("a", "new"), change)
    answers = images_to_remember(both, {"a", "b", "new"})
    found = find_forgetting(answers, both.new_classes)
    check = check_forgetting(answers, found, 0.05)
    assert found is not None
    assert found.lost == ("b",)
    assert (check.passed, check.value) == (False, 0.5)
    assert "It cannot answer with 'b', which was not taken out of the schema" in check.words


def test_a_class_that_was_taken_out_of_the_schema_is_not_missed() -> None:
    change = ClassChange("removed", ("b",), (), 0)
    both = paired(served(a=(100, 100), b=(100, 0)), ("a", "new"), change)
    answers = images_to_remember(both, {"a", "new"})
    assert set(answers.labels) == {"a"}
    check = check_forgetting(answers, find_forgetting(answers, ("a", "new")), 0.0)
    assert check.passed
    assert "Not asked for any more: 'b'" in check.words


def test_a_class_that_was_split_is_not_to_be_answered_as_before() -> None:
    change = ClassChange("split", ("b",), ("b1", "b2"), 100, 100)
    both = paired(served(a=(100, 100), b=(100, 0)), ("a", "b1", "b2"), change)
    assert set(images_to_remember(both, None).labels) == {"a"}


def test_without_an_image_nothing_is_said() -> None:
    nothing = AsServed([], np.zeros(0, bool), np.zeros(0, bool))
    assert find_forgetting(nothing, ("a",)) is None
    check = check_forgetting(nothing, None, 0.05)
    assert (check.passed, check.value) == (True, None)
