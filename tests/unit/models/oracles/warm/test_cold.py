"""The search without a past, on functions of which the best is known."""

import keras_tuner
import numpy as np
import pytest

from models.oracles.warm.cold import ColdSearch
from models.oracles.warm.encoding import SpaceEncoder

TRIALS = 25
SEEDS = (1, 2, 3)
BRANIN_BEST = -0.397887
CLIFF = -1e10
NOISE = 5.0


def square() -> SpaceEncoder:
    hyperparameters = keras_tuner.HyperParameters()
    hyperparameters.Float("x", -5.0, 10.0)
    hyperparameters.Float("y", 0.0, 15.0)
    return SpaceEncoder(hyperparameters)


def branin(point) -> float:
    """Dixon and Szegő (1978), upside down: three equal peaks."""
    x, y = 15.0 * point[0] - 5.0, 15.0 * point[1]
    hill = (y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6) ** 2
    return float(-(hill + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10))


def search(score, seed: int):
    """Points and scores of a search, each point proposed from those before it."""
    cold = ColdSearch(square(), seed)
    points, scores = np.zeros((0, 2)), np.zeros(0)
    for _ in range(TRIALS):
        known = {point.tobytes() for point in points}
        ranking = cold.ranking(points, scores)
        new = next(point for point in ranking if point.tobytes() not in known)
        points, scores = np.vstack([points, new]), np.append(scores, score(new))
    return points, scores


def best_of_random(score) -> float:
    draws = np.random.default_rng(0).random((200, TRIALS, 2))
    return float(np.mean([max(score(point) for point in each) for each in draws]))


def test_it_comes_far_closer_to_the_best_than_random_draws():
    found = np.mean([search(branin, seed)[1].max() for seed in SEEDS])
    assert BRANIN_BEST - found < 0.1 * (BRANIN_BEST - best_of_random(branin))


def test_with_noisy_scores_what_it_would_choose_is_better_than_the_luckiest_random_draw():
    generator = np.random.default_rng(4)

    def noisy(point) -> float:
        return branin(point) + generator.normal(0.0, NOISE)

    chosen = []
    for seed in SEEDS:
        points, scores = search(noisy, seed)
        features = square().features(points)
        expected, _ = (
            ColdSearch(square(), seed).belief(points, scores).predict(features, np.zeros(TRIALS))
        )
        chosen.append(branin(points[expected.argmax()]))
    lucky = [branin(max(draws, key=noisy)) for draws in generator.random((200, TRIALS, 2))]
    assert BRANIN_BEST - np.mean(chosen) < 0.7 * (BRANIN_BEST - np.mean(lucky))


def test_an_exploded_score_does_not_hide_what_the_others_show():
    def with_cliff(point) -> float:
        return CLIFF if point[0] > 0.7 else branin(point)

    found = np.mean([search(with_cliff, seed)[1].max() for seed in SEEDS])
    assert BRANIN_BEST - found < 0.3 * (BRANIN_BEST - best_of_random(with_cliff))


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_the_scores_does_not_matter(unit):
    plain = search(branin, 1)[1].max()
    assert search(lambda point: unit * branin(point), 1)[1].max() / unit == pytest.approx(
        plain, abs=0.3
    )
