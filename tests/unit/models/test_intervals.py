"""The intervals against SciPy's and the published ones, and how often they hold the truth."""

import numpy as np
import pytest
from scipy import stats

from models import intervals, metrics


@pytest.mark.parametrize(("hits", "images"), [(0, 7), (7, 7), (1, 3), (273, 284), (9_999, 20_000)])
def test_the_interval_of_a_share_is_wilsons(hits: int, images: int) -> None:
    expected = stats.binomtest(hits, images).proportion_ci(method="wilson")
    low, high = intervals.share_interval(hits, images)
    assert (low, high) == pytest.approx((expected.low, expected.high))
    assert (low == 0.0, high == 1.0) == (hits == 0, hits == images)


def test_without_images_a_share_may_be_anything() -> None:
    assert intervals.share_interval(0, 0) == (0.0, 1.0)
    assert intervals.interval_of(0.5, None) is None
    assert intervals.interval_of(0.5, 0) is None
    assert intervals.interval_of(0.0, 5) == intervals.share_interval(0, 5)
    assert intervals.interval_of(None, 5) is None
    assert intervals.interval_of(0.6, 5) == intervals.share_interval(3, 5)


def test_the_interval_of_a_paired_difference_is_newcombes() -> None:
    published = (0.0569, 0.3404)  # of 36, 12, 2 and 0, in table II of the reference
    assert intervals.paired_difference(36, 12, 2, 0) == pytest.approx(published, abs=6e-5)


@pytest.mark.parametrize(
    "cells",
    [(36, 12, 2, 0), (80, 5, 3, 12), (50, 10, 20, 20), (4, 2, 3, 3), (10, 0, 0, 10), (0, 3, 4, 0)],
)
def test_the_interval_of_a_paired_difference_follows_the_formulas_of_the_reference(
    cells: tuple[int, int, int, int],
) -> None:
    a, b, c, d = cells
    n = sum(cells)
    (l1, u1), (l2, u2) = (
        stats.binomtest(hits, n).proportion_ci(method="wilson") for hits in (a + b, a + c)
    )
    p1, p2 = (a + b) / n, (a + c) / n
    numerator = a * d - b * c if a * d <= b * c else max(a * d - b * c - n / 2, 0)
    phi = numerator / np.sqrt((a + b) * (c + d) * (a + c) * (b + d)) if b + d and a + b else 0.0
    delta = np.sqrt((p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2)
    epsilon = np.sqrt((u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2)
    expected = (p1 - p2 - delta, p1 - p2 + epsilon)
    assert intervals.paired_difference(a, b, c, d) == pytest.approx(expected)


def test_the_interval_of_a_paired_difference_leaves_out_what_no_difference_is() -> None:
    assert intervals.paired_difference(0, 3, 0, 0)[1] == 1.0
    assert intervals.paired_difference(0, 0, 3, 0)[0] == -1.0
    low, high = intervals.paired_difference(3, 0, 0, 0)
    assert (low, high) == pytest.approx((-high, high))
    assert high < 1


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((56, 70, 48, 80), (0.0524, 0.3339)),
        ((9, 10, 3, 10), (0.1705, 0.8090)),
        ((6, 7, 2, 7), (0.0582, 0.8062)),
        ((5, 56, 0, 29), (-0.0381, 0.1926)),
        ((0, 10, 0, 20), (-0.1611, 0.2775)),
        ((0, 10, 0, 10), (-0.2775, 0.2775)),
        ((10, 10, 0, 20), (0.6791, 1.0)),
        ((10, 10, 0, 10), (0.6075, 1.0)),
        ((0, 10, 10, 10), (-1.0, -0.6075)),
    ],
)
def test_the_interval_of_a_difference_of_other_images_is_newcombes(
    counts: tuple[int, int, int, int], expected: intervals.Interval
) -> None:
    # Table 2 of the reference, method 10; the last one is that before, turned round.
    assert intervals.independent_difference(*counts) == pytest.approx(expected, abs=5e-5)


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution() -> None:
    values = np.array([0.1, 0.4, 0.4, 0.9])
    error = values.std() / 2
    expected = stats.norm.interval(0.95, values.mean(), error)
    assert intervals.mean_interval(values, (-1.0, 2.0)) == pytest.approx(expected)
    assert intervals.mean_interval(values, (0.3, 0.5)) == (0.3, 0.5)


def test_the_bootstrap_interval_is_of_500_draws() -> None:
    values = np.random.default_rng(1).normal(0.5, 0.1, 200)
    draws: list[int] = []

    def mean(places: np.ndarray) -> float:
        draws.append(len(places))
        assert 0 <= places.min() <= places.max() < 200
        return float(values[places].mean())

    found = intervals.bootstrap_interval(float(values.mean()), mean, 200, (0.0, 1.0))
    assert draws == [200] * 500
    expected = stats.norm.interval(0.95, values.mean(), values.std() / 200**0.5)
    assert found == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize(
    ("drawn", "within", "ends"),
    [
        # Basic: the truth is below the figure by as much as the draws are above it.
        (0.5, (0.0, 1.0), (0.3, 0.4)),
        (0.3, (0.0, 1.0), (0.4, 0.5)),
        (0.9, (0.1, 1.0), (0.1, 0.4)),
        (0.0, (0.1, 0.6), (0.4, 0.6)),
    ],
)
def test_the_bootstrap_interval_is_turned_round_widened_and_cut(
    drawn: float, within: intervals.Interval, ends: intervals.Interval
) -> None:
    found = intervals.bootstrap_interval(0.4, lambda _: drawn, 9, within)
    assert found == pytest.approx(ends)


@pytest.mark.parametrize("cells", [(0.9, 0.03, 0.02, 0.05), (0.7, 0.2, 0.05, 0.05), (1, 0, 0, 0)])
def test_the_interval_of_a_paired_difference_holds_it_as_often_as_it_says(
    cells: tuple[float, ...],
) -> None:
    random = np.random.default_rng(0)
    held = 0
    for counts in random.multinomial(200, cells, 1000).tolist():
        low, high = intervals.paired_difference(*counts)
        assert low <= (counts[1] - counts[2]) / 200 <= high
        held += low <= cells[1] - cells[2] <= high
    assert held / 1000 >= 0.93


def _answers(images: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = random.integers(0, 3, images)
    logits = 1.5 * (random.normal(size=(images, 3)) + 1.2 * np.eye(3)[truth])
    return truth, np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)


def test_intervals_hold_what_many_images_show_about_as_often_as_they_say() -> None:
    names = ("accuracy", "top_k_accuracy", "macro_auc", "calibration_error")
    classes = ("a", "b", "c")
    whole = metrics.quality(*_answers(200_000, 1), classes, 2)
    held = dict.fromkeys(names, 0)
    for seed in range(100):
        sample = metrics.quality(*_answers(150, seed + 2), classes, 2)
        for name in names:
            low, high = getattr(sample, f"{name}_interval")
            assert low <= getattr(sample, name) <= high
            held[name] += low <= getattr(whole, name) <= high
    for name in names:
        assert held[name] >= 88, held


def test_a_perfect_area_tells_nothing_of_its_spread() -> None:
    truth = np.array([0, 1, 2] * 5)
    quality = metrics.quality(truth, np.eye(3)[truth] * 0.7 + 0.1, ("a", "b", "c"), 2)
    assert (quality.macro_auc, quality.macro_auc_interval) == (1.0, None)
    assert quality.classes[0].auc_interval is None
    assert quality.accuracy_interval == intervals.share_interval(15, 15)


def test_each_class_has_its_intervals() -> None:
    truth, probabilities = _answers(60, 5)
    truth[truth == 2] = 1
    quality = metrics.quality(truth, probabilities, ("a", "b", "c"), 2)
    first, _, absent = quality.classes
    assert first.recall_interval == intervals.interval_of(first.recall, first.images)
    assert first.precision_interval == intervals.interval_of(first.precision, first.predicted)
    assert first.auc_interval is not None
    assert first.auc is not None
    assert first.auc_interval[0] < first.auc < first.auc_interval[1]
    assert (absent.recall_interval, absent.auc_interval) == (None, None)
    assert absent.precision_interval is not None
