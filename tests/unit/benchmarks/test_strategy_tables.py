import pytest

from benchmarks.strategies.tables import over_the_first, table, verdicts


def told(*draws, aside=()):
    """What the row of a situation says, and the line below all."""
    lines = verdicts({"here": draws}, {"here": frozenset(aside)}).splitlines()
    return lines[2], lines[-1]


def draws(rivals, auto):
    return [{"rival": rival, "auto": own} for rival, own in zip(rivals, auto, strict=True)]


@pytest.mark.parametrize(
    ("rivals", "auto", "word", "fine"),
    [
        ((0.7, 0.7, 0.7), (0.8, 0.6, 0.8), "| the best |", 1),
        ((0.7, 0.7, 0.7), (0.7, 0.7, 0.7), "| the best |", 1),
        ((0.8, 0.6, 0.8), (0.7, 0.7, 0.7), "| within noise |", 1),
        ((0.8, 0.7, 0.8), (0.7, 0.6, 0.6), "| **beaten** |", 0),
        ((0.8,), (0.7,), "| behind in one draw |", 1),
    ],
)
def test_a_verdict_follows_from_the_paired_draws(rivals, auto, word, fine):
    row, last = told(*draws(rivals, auto))
    assert row.endswith(word)
    assert last == f"Not beaten beyond noise: {fine} of 1."


def test_what_knows_more_than_a_run_does_is_no_rival():
    row, _ = told(*draws((0.9, 0.9), (0.5, 0.5)), aside={"rival"})
    assert "| auto, 0.500 |" in row


def test_a_situation_that_no_run_takes_is_not_counted():
    row, last = told({"one": 0.5, "other": 0.6})
    assert "| none |" in row
    assert last.endswith("0 of 0.")


def test_gains_are_over_the_first_strategy_of_the_same_draw():
    found = table({"here": over_the_first(draws((0.5, 0.6), (0.6, 0.8)))}).splitlines()
    assert found[2] == "| here | rival | 0.550 | +0.0 [+0.0, +0.0] | +0.0 |"
    assert found[3] == "| here | auto | 0.700 | +15.0 [+10.0, +20.0] | +10.0 |"
