from dataclasses import replace

import numpy as np
import pytest
from learning_curves import begun, made_task
from scipy.stats import spearmanr

from models.curves.learning_curve import CurveTask
from models.curves.surrogate import Surrogate


@pytest.fixture(scope="module")
def surrogate():
    return Surrogate([made_task(seed, size=500.0 * (seed + 1)) for seed in range(4)])


def test_it_ranks_the_configurations_of_a_new_task(surrogate):
    task = made_task(9)
    points = surrogate.points(task, [curve.values for curve in task.curves])
    expected = surrogate.outlook(points).mean[:, -1]
    agreement = spearmanr(expected, [curve.best() for curve in task.curves]).statistic
    assert agreement > 0.8


def test_it_knows_the_seconds_of_a_task_of_another_size(surrogate):
    task = made_task(9, size=8000.0)
    points = surrogate.points(task, [curve.values for curve in task.curves])
    true = np.array([curve.seconds[0] for curve in task.curves])
    np.testing.assert_allclose(surrogate.seconds(task, points), true, rtol=0.3)


def test_the_curve_so_far_tells_more_than_the_configuration(surrogate):
    task = made_task(9)
    curve = task.curves[0]
    points = surrogate.points(task, [curve.values])
    low, high = (
        surrogate.outlook(points, tuple(factor * score for score in curve.scores[:4]))
        for factor in (0.3, 1.0)
    )
    assert low.mean[0, -1] + 0.1 < high.mean[0, -1]
    assert (high.mean >= max(curve.scores[:4])).all()


def _from_start(task, start):
    """The task's curves, each begun from a score below its first one."""
    curves = tuple(
        replace(
            curve, scores=tuple(start + (1 - start) * each for each in curve.scores), start=start
        )
        for curve in task.curves
    )
    return replace(task, curves=curves)


def test_a_known_start_is_what_the_expected_end_is_counted_from():
    # Tasks that start high and low, so that the mean start is right for neither.
    surrogate = Surrogate([_from_start(made_task(seed), 0.2 * (seed % 4)) for seed in range(8)])
    task = _from_start(made_task(9), 0.5)
    points = surrogate.points(task, [curve.values for curve in task.curves])
    ends = np.array([curve.best() for curve in task.curves])
    blind = np.abs(surrogate.outlook(points).mean[:, -1] - ends).mean()
    told = np.abs(surrogate.outlook(points, start=0.5).mean[:, -1] - ends).mean()
    assert told < blind / 2
    assert (surrogate.outlook(points, start=0.5).deviation > 0).all()


def test_without_a_start_in_the_past_a_start_changes_nothing(surrogate):
    task = made_task(9)
    points = surrogate.points(task, [curve.values for curve in task.curves])
    plain, told = surrogate.outlook(points), surrogate.outlook(points, start=0.5)
    np.testing.assert_array_equal(plain.mean, told.mean)


def test_a_curve_is_less_open_the_longer_it_is(surrogate):
    task = made_task(9)
    points = surrogate.points(task, [task.curves[0].values])
    unbegun = surrogate.outlook(points).deviation[0, -1]
    late = surrogate.outlook(points, task.curves[0].scores[:8]).deviation[0, -1]
    assert late < unbegun / 2


def test_paused_curves_teach_what_they_show():
    whole = made_task(0)
    paused = CurveTask(
        "paused", whole.size, whole.description, tuple(begun(each, 4) for each in whole.curves)
    )
    surrogate = Surrogate([paused])
    outlook = surrogate.outlook(surrogate.points(whole, [each.values for each in whole.curves]))
    seen = np.array([each.best(4) for each in whole.curves])
    assert spearmanr(outlook.mean[:, 2], seen).statistic > 0.7
    # Nobody knows what comes after: no less than was seen.
    np.testing.assert_array_equal(outlook.mean[:, -1], outlook.mean[:, 2])


def test_curves_of_one_epoch_are_enough():
    whole = made_task(0)
    short = CurveTask("short", whole.size, {}, tuple(begun(each, 1) for each in whole.curves))
    surrogate = Surrogate([short])
    points = surrogate.points(short, [{"backbone": "middle", "rate": 1e-3}])
    assert np.isfinite(surrogate.outlook(points, (0.3,)).mean).all()


def test_without_a_curve_there_is_nothing_to_learn():
    with pytest.raises(ValueError, match="expected earlier tasks with a learning curve"):
        Surrogate([CurveTask("empty", 10.0)])
