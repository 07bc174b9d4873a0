import pytest

from models.curves.learning_curve import CurveTask, LearningCurve


def test_a_curve_knows_its_best_of_so_many_epochs():
    curve = LearningCurve({}, (0.2, 0.6, 0.5, 0.7), (1.0,) * 4)
    assert [curve.best(epochs) for epochs in (0, 1, 2, 3, 9)] == [0.0, 0.2, 0.6, 0.6, 0.7]
    assert curve.best() == 0.7


def test_what_ended_early_is_known_for_ever():
    assert not LearningCurve({}, (0.2,), (1.0,)).reached(8)
    assert LearningCurve({}, (0.2,), (1.0,), ended=True).reached(8)


@pytest.mark.parametrize(
    ("scores", "seconds", "message"),
    [
        ((0.5,), (), "1 scores and 0 seconds"),
        ((50.0,), (1.0,), "between 0 and 1"),
        ((float("nan"),), (1.0,), "between 0 and 1"),
        ((0.5,), (0.0,), "above 0"),
    ],
)
def test_what_is_no_curve_is_refused(scores, seconds, message):
    with pytest.raises(ValueError, match=message):
        LearningCurve({}, scores, seconds)


def test_a_task_has_examples():
    with pytest.raises(ValueError, match="digits: the size of a task is above 0, but got 0"):
        CurveTask("digits", 0)
