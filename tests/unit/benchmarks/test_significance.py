"""Statistics of the warm-start benchmark."""

import numpy as np
import pytest

from benchmarks.warm_start.significance import bootstrap_ratio, holm, mean_ranks, signed_rank


def test_holm_multiplies_by_the_hypotheses_that_are_left_and_keeps_the_order() -> None:
    # The example of Holm (1979): 0.01 · 4, 0.02 · 3, then never below the one before.
    assert holm([0.02, 0.01, 0.04, 0.03]) == pytest.approx([0.06, 0.04, 0.06, 0.06])


def test_holm_stays_a_probability() -> None:
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    assert holm([]) == []


def test_methods_that_never_differ_are_not_told_apart() -> None:
    figures = np.array([0.3, 0.1, 0.2])
    assert signed_rank(figures, figures) == 1.0


def test_a_method_better_on_every_task_is_told_apart() -> None:
    worse = np.linspace(0.2, 0.9, 12)
    # All 12 differences have one sign: 2 of 2^12 assignments of signs are as extreme.
    assert signed_rank(worse - np.linspace(0.01, 0.1, 12), worse) == pytest.approx(2 / 2**12)


def test_ratio_of_proportional_figures_has_no_spread() -> None:
    figures = np.array([0.1, 0.5, 0.3, 0.9])
    ratio = bootstrap_ratio(0.5 * figures, figures, ["a", "a", "b", "c"])
    assert ratio is not None
    assert (ratio.value, ratio.low, ratio.high) == pytest.approx((0.5, 0.5, 0.5))


def test_tasks_of_one_group_are_resampled_together() -> None:
    first, second = np.array([0.1, 0.9]), np.array([0.5, 0.5])
    together = bootstrap_ratio(first, second, ["a", "a"])
    apart = bootstrap_ratio(first, second, ["a", "b"])
    assert together is not None
    assert apart is not None
    assert (together.low, together.high) == pytest.approx((1.0, 1.0))
    assert (apart.low, apart.high) == pytest.approx((0.2, 1.8))


def test_mean_ranks_share_ties() -> None:
    figures = np.array([[0.1, 0.2, 0.3], [0.2, 0.1, 0.1]])
    assert mean_ranks(figures) == pytest.approx([2.0, 1.75, 2.25])
