"""The kernel, the process and the belief against what they are by definition."""

import numpy as np
import pytest
from scipy.optimize import check_grad
from scipy.stats import multivariate_normal

from models.oracles.warm.belief import believe, compress, expected_improvement
from models.oracles.warm.gaussian_process import Process
from models.oracles.warm.kernel import (
    Kernel,
    _negative_log_likelihood,
    _negative_log_posterior,
    fit_kernel,
)

KERNEL = Kernel(np.array([0.3, 0.9]), amplitude=1.7, noise=0.05)


@pytest.fixture
def points() -> np.ndarray:
    return np.random.default_rng(0).random((12, 2))


def draw(kernel: Kernel, points: np.ndarray, seed: int) -> np.ndarray:
    """Noisy observations of a function from the process."""
    covariance = kernel(points, points) + kernel.noise * np.eye(len(points))
    return np.random.default_rng(seed).multivariate_normal(np.zeros(len(points)), covariance)


def test_the_likelihood_is_the_density_of_a_normal_distribution(points):
    scores = draw(KERNEL, points, 1)
    theta = np.log([*KERNEL.lengths, KERNEL.amplitude, KERNEL.noise])
    covariance = KERNEL(points, points) + KERNEL.noise * np.eye(len(points))
    density = multivariate_normal(np.zeros(len(points)), covariance).logpdf(scores)
    loss, _ = _negative_log_likelihood(theta, points, scores)
    assert loss == pytest.approx(-density - len(points) / 2 * np.log(2 * np.pi), rel=1e-4)


def test_the_gradient_of_the_fit_is_the_slope_of_its_value(points):
    searches = [(points, draw(KERNEL, points, 1)), (points[:7], draw(KERNEL, points[:7], 2))]
    theta = np.log([0.5, 0.7, 1.2, 0.2])
    apart = check_grad(
        lambda at: _negative_log_posterior(at, searches, np.log(0.6))[0],
        lambda at: _negative_log_posterior(at, searches, np.log(0.6))[1],
        theta,
    )
    assert apart < 1e-4 * np.linalg.norm(_negative_log_posterior(theta, searches, np.log(0.6))[1])


def test_many_searches_together_show_which_parameter_matters():
    kernel = Kernel(np.array([0.2, 20.0]), amplitude=1.0, noise=0.01)
    generator = np.random.default_rng(3)
    searches = []
    for seed in range(8):
        points = generator.random((25, 2))
        searches.append((points, draw(kernel, points, seed)))
    fitted = fit_kernel(searches, 2)
    assert fitted.lengths[0] == pytest.approx(0.2, rel=0.5)
    assert fitted.lengths[1] > 5 * fitted.lengths[0]
    assert fitted.noise < 0.05


def test_leaving_one_out_is_what_the_others_alone_expect(points):
    values = draw(KERNEL, points, 4)
    left_out = Process.after(KERNEL, points, values).leave_one_out()
    for index in range(len(points)):
        rest = np.arange(len(points)) != index
        alone = Process.after(KERNEL, points[rest], values[rest])
        assert left_out[index] == pytest.approx(alone.mean(points[index][None])[0], abs=1e-6)


def test_the_posterior_is_sure_where_it_has_seen_and_not_far_away(points):
    exact = Kernel(KERNEL.lengths, KERNEL.amplitude, noise=1e-6)
    values = draw(exact, points, 5)
    process = Process.after(exact, points, values)
    mean, spread = process.predict(points)
    assert mean == pytest.approx(values, abs=1e-3)
    assert spread.max() < 0.01
    far_mean, far_spread = process.predict(np.full((1, 2), 50.0))
    assert far_mean[0] == pytest.approx(0.0, abs=1e-6)
    assert far_spread[0] == pytest.approx(np.sqrt(exact.amplitude))


def test_a_belief_finds_the_units_of_the_scores(points):
    """The shape is right, in other units and around another level."""
    shape = draw(Kernel(KERNEL.lengths, 1.0, 0.0001), points, 6)
    scores = 0.8 + 0.02 * shape
    small = Kernel(KERNEL.lengths, amplitude=0.01, noise=0.01)
    gap = 10.0
    belief = believe(small, points, scores, shape, gap, scale=0.05)
    assert belief.scale == pytest.approx(0.02, rel=0.35)
    mean, _ = belief.predict(points, shape)
    assert mean == pytest.approx(scores - scores.max(), abs=0.01)


def test_compressing_keeps_the_order_and_the_small_differences():
    scores = np.array([0.9, 0.899, 0.5, 0.1])
    compressed = compress(scores, gap=0.05)
    assert compressed[0] == 0.0
    assert compressed[1] == pytest.approx(-0.001, rel=0.02)
    assert list(np.argsort(-compressed)) == [0, 1, 2, 3]
    assert compressed[3] > -0.2


def test_expected_improvement_is_the_mean_gain_of_draws():
    draws = np.random.default_rng(0).normal(0.3, 0.5, 400_000)
    gain = np.maximum(draws - 0.6, 0.0).mean()
    found = expected_improvement(np.array([0.3]), np.array([0.5]), 0.6)[0]
    assert found == pytest.approx(gain, rel=0.02)
