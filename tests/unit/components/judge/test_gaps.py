import numpy as np
import pytest
from scipy.stats import fisher_exact

from components.judge.gaps import check_gaps, find_gaps
from components.judge.slices import column_groups
from models.data.example_schema import slice_feature


def column(*parts: tuple[str, int]) -> np.ndarray:
    return np.array([value for value, count in parts for _ in range(count)], dtype=object)


def rights(*parts: tuple[int, int]) -> np.ndarray:
    """For each part, how many are right of how many."""
    return np.concatenate([np.arange(count) < right for right, count in parts])


def test_a_planted_gap_is_found_and_stops_a_push():
    site = column(("a", 60), ("b", 60), ("c", 60))
    right = rights((57, 60), (40, 60), (56, 60))
    gaps = find_gaps({slice_feature("site"): site}, np.zeros(180, int), right)
    worst = gaps[0]
    assert (worst.column, worst.value, worst.images) == ("site", "b", 60)
    assert worst.gap == pytest.approx(113 / 120 - 40 / 60)
    assert worst.gap_interval[0] < worst.gap < worst.gap_interval[1]
    assert worst.chance < 0.01
    check = check_gaps(gaps, 0.1)
    assert not check.passed
    assert "site = 'b'" in check.words
    assert "evaluation.max_slice_gap" in check.words
    let_pass = check_gaps(gaps, 0.5)
    assert let_pass.passed
    assert "1 of 3 slices falls behind" in let_pass.words


def test_a_gap_that_chance_explains_passes_any_limit():
    site = column(("a", 20), ("b", 20))
    gaps = find_gaps({slice_feature("site"): site}, np.zeros(40, int), rights((17, 20), (19, 20)))
    check = check_gaps(gaps, 0.0)
    assert check.passed
    assert check.value == pytest.approx(0.1)
    assert "no slice falls behind" in check.words.lower()


def test_a_value_of_harder_classes_is_no_gap():
    truth = np.repeat([0, 1], 200)
    site = column(("a", 180), ("b", 20), ("a", 20), ("b", 180))
    right = np.concatenate([rights((171, 180), (19, 20)), rights((12, 20), (108, 180))])
    gaps = find_gaps({slice_feature("site"): site}, truth, right)
    (behind,) = [each for each in gaps if each.value == "b"]
    assert behind.gap > 0.2
    assert behind.chance > 0.1
    assert check_gaps(gaps, 0.05).passed


def test_the_chance_of_one_class_is_that_of_fishers_test():
    site = column(("a", 50), ("b", 50))
    gaps = find_gaps({slice_feature("site"): site}, np.zeros(100, int), rights((35, 50), (45, 50)))
    exact = fisher_exact([[35, 15], [45, 5]], alternative="less").pvalue
    assert gaps[0].chance == pytest.approx(2 * exact, rel=0.25)


def test_many_values_without_a_gap_seldom_raise_an_alarm():
    random = np.random.default_rng(0)
    alarms = 0
    for _ in range(60):
        columns = {
            slice_feature(name): random.integers(0, 6, 300).astype(str).astype(object)
            for name in ("site", "camera")
        }
        gaps = find_gaps(columns, random.integers(0, 3, 300), random.random(300) < 0.8)
        alarms += not check_gaps(gaps, 0.0).passed
    assert alarms <= 10  # of 6 expected at most; more than 10 in 1 of 30 cases


def test_few_images_of_a_value_say_nothing():
    site = column(("a", 9), ("b", 60))
    gaps = find_gaps({slice_feature("site"): site}, np.zeros(69, int), rights((0, 9), (60, 60)))
    assert [each.value for each in gaps] == ["b"]
    nothing = check_gaps(find_gaps({"width": site}, np.zeros(69, int), rights((0, 69))), 0.0)
    assert nothing.passed
    assert nothing.value is None


def test_columns_of_many_values_are_cut_into_quarters_or_kept_by_their_commonest():
    ages = np.array([str(age) for age in range(40)], dtype=object)
    assert [name for name, _ in column_groups(ages)] == [
        "0 to 10", "11 to 20", "21 to 30", "31 to 39",
    ]  # fmt: skip
    some = np.insert(ages, [5, 5, 20], ["", "", "NaN"])
    assert [(name, inside.sum()) for name, inside in column_groups(some)] == [
        ("0 to 10", 11), ("11 to 20", 10), ("21 to 30", 10), ("31 to 39", 9),
        ("(empty)", 2), ("NaN", 1),
    ]  # fmt: skip
    assert (np.stack([inside for _, inside in column_groups(some)]).sum(axis=0) == 1).all()
    patients = np.array([f"p{number}" for number in range(30)] + ["p7"] * 5, dtype=object)
    groups = dict(column_groups(patients))
    assert len(groups) == 20
    assert groups["p7"].sum() == 6
    assert groups["(others)"].sum() == 11
    assert sum(inside.sum() for inside in groups.values()) == 35
    assert "(empty)" in dict(column_groups(column(("", 2), ("x", 2))))
