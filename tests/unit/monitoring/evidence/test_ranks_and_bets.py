import numpy as np
import pytest
from scipy.stats import kstest

from monitoring.evidence.bets import BETS, outcomes
from monitoring.evidence.change_point import find_change
from monitoring.evidence.detector import Detector
from monitoring.evidence.grids import CELLS, UNKNOWN
from monitoring.evidence.growing_bag import GrowingBag
from monitoring.evidence.learned_bets import EVERY, LearnedBets


def test_ranks_among_a_growing_bag_are_uniform_even_with_a_tiny_reference_and_ties():
    random = np.random.default_rng(0)
    everything = np.minimum(random.geometric(0.2, (5_000, 1)), 15).astype(np.int16)
    bag = GrowingBag.of(everything[:10])
    ranks = []
    for at in range(10, len(everything), 50):
        cells = everything[at : at + 50]
        ranks.append(bag.p_values(cells, random.random(cells.shape), growing=True))
        bag.absorb(cells)
    flat = np.concatenate(ranks)[:, 0]
    assert kstest(flat, "uniform").pvalue > 0.01
    assert abs(np.corrcoef(flat[1:], flat[:-1])[0, 1]) < 0.04


def test_ranks_are_what_counting_gives():
    bag = GrowingBag.of(np.array([[3], [5], [5], [9]], np.int16))
    cells = np.array([[5], [6], [UNKNOWN], [5]], np.int16)
    half = np.full(cells.shape, 0.5)
    grown = bag.p_values(cells, half, growing=True)[:, 0]
    assert grown[[0, 1, 3]] == pytest.approx([(1 + 0.5 * 3) / 5, (1 + 0.5) / 6, (2 + 0.5 * 4) / 7])
    fixed = bag.p_values(cells, half, growing=False)[:, 0]
    assert fixed[[0, 1, 3]] == pytest.approx([(1 + 1.5) / 5, (1 + 0.5) / 5, (1 + 1.5) / 5])


@pytest.mark.parametrize("classes", [True, False])
def test_a_bet_keeps_its_stake_on_average_while_ranks_are_uniform(classes):
    random = np.random.default_rng(0)
    counts = np.zeros((1, CELLS), np.int64)
    counts[0, :7] = random.integers(1, 60, 7)
    learned = LearnedBets(counts, (classes,))
    for _ in range(5):
        learned.see(random.integers(0, 3, (EVERY, 1)).astype(np.int16))
        learned.learn(growing=True)
    ranks = ((np.arange(262_144) + 0.5) / 262_144)[:, None]
    means = outcomes(ranks, np.ones(ranks.shape, bool), learned).mean(axis=0)[0]
    np.testing.assert_allclose(means, np.ones(BETS), rtol=1e-4)


def test_learned_bets_win_on_the_pattern_that_they_saw():
    counts = np.zeros((1, CELLS), np.int64)
    counts[0, :4] = 50
    learned = LearnedBets(counts, (True,))
    for _ in range(4):
        learned.see(np.full((EVERY, 1), 2, np.int16))
        learned.learn(growing=False)
    of_class = [0.9, 0.6, 0.4, 0.1]
    won = learned.outcomes(np.array(of_class)[:, None])[:, 0, 0]
    assert won[2] > 2.0
    assert max(won[[0, 1, 3]]) < 0.5


def test_stakes_without_a_change_do_not_grow_on_average():
    random = np.random.default_rng(0)
    start = np.full((1, 1), 0.5)
    sums = []
    for _ in range(500):
        detector = Detector(1e9, start, start / 100, start.copy())
        detector.run(random.choice([0.9, 1.1], (100, 1, 1)))
        sums.append(detector.stakes.sum())
    placed_in_all = 0.5 + 100 * 0.005
    assert np.mean(sums) == pytest.approx(placed_in_all, rel=0.1)


def test_an_alarm_begins_at_the_limit_and_ends_below_one():
    start = np.full((1, 1), 0.5)
    detector = Detector(100.0, start, start / 1000, start.copy())
    assert detector.run(np.full((50, 1, 1), 2.0)) == 8
    assert detector.alarm
    assert detector.run(np.full((50, 1, 1), 0.5)) == 7
    assert not detector.alarm
    np.testing.assert_array_equal(detector.stakes, start)


def test_the_change_is_found_with_its_interval():
    random = np.random.default_rng(1)
    ranks = np.concatenate([random.random(400), random.random(60) * 0.2])
    change = find_change(ranks, np.ones(460, bool))
    assert change.first <= 400 <= change.last + 2
    assert change.last - change.first < 30
    assert len(change.log_odds) == 460 - change.likeliest
    assert change.log_odds[1:].mean() > 0.5
