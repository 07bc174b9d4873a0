"""The belief against what is known of the functions that its scores were drawn from."""

import numpy as np
import pytest

from models.oracles.warm.belief import Belief


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).random((30, 2))


def test_it_is_sure_where_it_has_seen_and_not_far_away(points):
    scores = np.sin(6 * points[:, 0])
    belief = Belief.after(points, scores, np.zeros(30))
    mean, spread = belief.predict(points, np.zeros(30))
    assert np.corrcoef(mean, scores)[0, 1] > 0.9
    far_mean, far_spread = belief.predict(np.full((1, 2), 500.0), np.zeros(1))
    assert far_mean[0] == pytest.approx(belief.scale * belief.offset)
    assert spread.max() < 0.5 * far_spread[0]


@pytest.mark.parametrize(("unit", "level"), [(0.02, 0.8), (5.0, -300.0)])
def test_it_finds_the_units_of_the_scores(points, unit, level):
    """The shape is right, in other units and around another level."""
    shape = 1.5 * np.sin(4 * points[:, 0])
    belief = Belief.after(points[:20], level + unit * shape[:20], shape[:20])
    expected, _ = belief.predict(points[20:], shape[20:])
    assert np.corrcoef(expected, shape[20:])[0, 1] > 0.95
    assert unit / 3 < np.ptp(expected) / np.ptp(shape[20:]) < 2 * unit


def test_where_the_shape_is_wrong_the_scores_outvote_it(points):
    scores = np.sin(6 * points[:, 0])
    belief = Belief.after(points, scores, -scores)
    mean, _ = belief.predict(points, -scores)
    assert np.corrcoef(mean, scores)[0, 1] > 0.5


def test_how_bad_the_bad_ones_are_hardly_matters(points):
    scores = np.sin(6 * points[:, 0])
    exploded = np.where(scores < scores.min() + 0.01, -1e12, scores)
    two = [Belief.after(points, each, np.zeros(30)) for each in (scores, exploded)]
    one, other = (each.predict(points, np.zeros(30))[0] for each in two)
    good = scores > np.median(scores)
    assert np.corrcoef(one[good], other[good])[0, 1] > 0.9


def test_equal_scores_say_nothing(points):
    belief = Belief.after(points, np.full(30, 0.7), np.zeros(30))
    mean, spread = belief.predict(points, np.zeros(30))
    assert mean == pytest.approx(np.zeros(30))
    assert (spread > 0.0).all()
