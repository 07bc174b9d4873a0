import numpy as np
from learning_curves import made_task

from models.curves.encoding import Encoder
from models.curves.learning_curve import CurveTask, LearningCurve


def _task(name: str, **ends: float) -> CurveTask:
    curves = tuple(LearningCurve({"backbone": key}, (end,), (1.0,)) for key, end in ends.items())
    return CurveTask(name, 100.0, {}, curves)


def test_a_number_becomes_its_place_among_those_seen():
    curves = tuple(LearningCurve({"rate": rate}, (0.5,), (1.0,)) for rate in (1e-4, 1e-3, 1e-2))
    encoder = Encoder([CurveTask("a", 100.0, {}, curves)])
    rows = encoder.configurations([{"rate": rate} for rate in (1e-4, 1e-3, 1e-2, 1.0)] + [{}])
    assert rows[:, 0].tolist() == [0.0, 0.5, 1.0, 1.0, -0.5]


def test_a_text_becomes_what_it_was_worth_on_any_task():
    encoder = Encoder([_task("easy", a=0.9, b=0.7), _task("hard", a=0.4, b=0.2)])
    a, b, new = encoder.configurations([{"backbone": name} for name in ("a", "b", "new")])
    assert a[0] > 0 > b[0]
    np.testing.assert_allclose(a[0], -b[0])
    assert new.tolist() == [0.0, 0.0]


def test_a_slow_choice_is_told_from_a_quick_one():
    encoder = Encoder([made_task(0)])
    small, large = encoder.configurations(
        [{"backbone": name, "rate": 1e-3} for name in ("small", "large")]
    )
    assert large[-1] > small[-1] + 1


def test_a_figure_that_a_task_does_not_have_stands_apart():
    encoder = Encoder([made_task(0), made_task(1, size=500.0)])
    assert encoder.task(CurveTask("new", 500.0)).tolist() == [0.0, -0.5]
