"""Tests of the pictures that are made worse on purpose."""

import numpy as np

from models.observation.stress import CHANGES, stress_plan


def test_a_name_alone_decides_what_is_done_to_its_picture() -> None:
    few = stress_plan(["a", "b"])
    assert stress_plan(["c", "b", "a"])[:0:-1] == few
    assert few[0] != few[1]


def test_all_changes_are_made_about_as_often_and_with_all_strengths() -> None:
    plan = stress_plan(map(str, range(100 * CHANGES)))
    counts = np.bincount([each.change for each in plan], minlength=CHANGES)
    assert counts.min() > 60
    strengths = np.sort([each.strength for each in plan])
    np.testing.assert_allclose(strengths, np.linspace(0, 1, len(plan)), atol=0.03)
    seeds = {each.seed for each in plan}
    assert len(seeds) == len(plan)
