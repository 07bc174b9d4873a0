"""Pasts of the warm-start benchmark, and average-rank warm start on them."""

import numpy as np
import pytest
from histories import task

from benchmarks.warm_start.histories import shared_configurations
from benchmarks.warm_start.methods.average_rank import AverageRank, by_average_rank
from benchmarks.warm_start.methods.interface import Problem, best_so_far, usable_sources
from benchmarks.warm_start.problem import EPOCHS, SPACE
from benchmarks.warm_start.regimes import REGIMES, apply_regime
from models.history.past_search import PastSearch

_TRIALS = 20
_TASK = task("")


@pytest.fixture
def sources() -> tuple[PastSearch, ...]:
    generator = np.random.default_rng(0)
    values = tuple(shared_configurations(_TRIALS))
    return tuple(PastSearch(f"s{i}", values, generator.random(_TRIALS)) for i in range(6))


def _problem(sources: tuple[PastSearch, ...], tmp_path) -> Problem:
    return Problem(SPACE, sources, _TASK, trials=5, epochs=EPOCHS, seed=0, scratch=tmp_path)


def test_a_longer_shared_list_begins_with_the_shorter() -> None:
    assert shared_configurations(9)[:4] == shared_configurations(4)


@pytest.mark.parametrize("name", REGIMES)
def test_every_regime_is_the_same_for_the_same_seed(name, sources) -> None:
    first, second = (apply_regime(name, sources, seed=3) for _ in range(2))
    assert [each.values for each in first] == [each.values for each in second]
    for one, other in zip(first, second, strict=True):
        assert one.scores.tolist() == other.scores.tolist()


def test_few_sources_are_drawn_anew_for_another_seed(sources) -> None:
    assert len({apply_regime("one", sources, seed)[0].name for seed in range(20)}) > 1
    three = apply_regime("three_of_ten", sources, seed=0)
    assert [len(each.scores) for each in three] == [10, 10, 10]
    assert len({each.name for each in three}) == 3


def test_inverted_scores_rank_the_other_way_round(sources) -> None:
    for true, false in zip(sources, apply_regime("inverted", sources, 0), strict=True):
        assert np.argsort(false.scores).tolist() == np.argsort(-true.scores).tolist()
        assert sorted(false.scores) == sorted(true.scores)


def test_permuted_scores_are_the_same_set_in_another_order(sources) -> None:
    for true, false in zip(sources, apply_regime("permuted", sources, 0), strict=True):
        assert sorted(false.scores) == sorted(true.scores)
        assert false.scores.tolist() != true.scores.tolist()


def test_half_of_the_mixed_sources_are_true(sources) -> None:
    mixed = apply_regime("mixed", sources, 0)
    true = [
        one.scores.tolist() == two.scores.tolist() for one, two in zip(mixed, sources, strict=True)
    ]
    assert sum(true) == 3


def test_another_space_shares_only_what_kept_its_name(sources) -> None:
    other = apply_regime("mismatched", sources, 0)[0]
    assert set(other.values[0]) == {
        "learning_rate",
        "keep_probability",
        "label_smoothing",
        "hidden_units",
        "batch_size",
        "momentum",
    }
    rates = [
        (one["learning_rate"], two["learning_rate"])
        for one, two in zip(sources[0].values, other.values, strict=True)
    ]
    assert all(two == pytest.approx(one / 100) for one, two in rates)


def test_peers_are_given_no_source_of_another_space(sources, tmp_path) -> None:
    mismatched = apply_regime("mismatched", sources, 0)
    assert usable_sources(_problem(sources, tmp_path)) == sources
    assert usable_sources(_problem(mismatched, tmp_path)) == ()


def test_average_rank_starts_with_the_configuration_that_the_sources_agree_on() -> None:
    values = tuple(shared_configurations(3))
    agree = [
        PastSearch("a", values, np.array([0.1, 0.9, 0.5])),
        PastSearch("b", values, np.array([0.8, 0.9, 0.2])),
    ]
    assert by_average_rank(agree)[0] == values[1]


def test_average_rank_goes_on_at_random_after_its_list(sources, tmp_path) -> None:
    short = PastSearch("short", sources[0].values[:2], sources[0].scores[:2])
    method = AverageRank(_problem((short,), tmp_path))
    proposed = []
    for score in (0.1, 0.3, 0.2, None):
        proposed.append(method.ask().values)
        method.tell(score)
    assert all(values in short.values for values in proposed[:2])
    assert not any(values in short.values for values in proposed[2:])
    assert method.choose() == 1


def test_a_search_in_which_all_failed_chooses_its_first_trial() -> None:
    assert best_so_far([None, None]) == 0
    assert best_so_far([None, 0.5, 0.5]) == 1
