"""Tests of the pictures that are made worse on purpose."""

import numpy as np

from models.observation.stress import CHANGES, stress_plan


def test_a_name_alone_decides_what_is_done_to_its_picture() -> None:
    few = stress_plan(["a", "b"])
    assert [each.change for each in stress_plan(["c", "b", "a"])[:0:-1]] == [
        each.change for each in few
    ]
    assert few[0] != few[1]


def test_further_pictures_leave_nearly_all_as_they_were() -> None:
    names = [str(number) for number in range(100 * CHANGES)]
    before = stress_plan(names)
    after = stress_plan(["new", *names, *(f"new {number}" for number in range(CHANGES))])
    same = np.mean([one == other for one, other in zip(before, after[1:], strict=False)])
    assert 0.9 < same < 1.0


def test_the_strengths_of_each_change_are_even() -> None:
    plan = stress_plan(map(str, range(100 * CHANGES)))
    for change in range(CHANGES):
        strengths = np.sort([each.strength for each in plan if each.change == change])
        even = (np.arange(len(strengths)) + 0.5) / len(strengths)
        np.testing.assert_allclose(strengths, even, atol=0.07)


def test_all_changes_are_made_about_as_often_and_with_all_strengths() -> None:
    plan = stress_plan(map(str, range(100 * CHANGES)))
    counts = np.bincount([each.change for each in plan], minlength=CHANGES)
    assert counts.min() > 60
    strengths = np.sort([each.strength for each in plan])
    np.testing.assert_allclose(strengths, np.linspace(0, 1, len(plan)), atol=0.03)
    seeds = {each.seed for each in plan}
    assert len(seeds) == len(plan)
