from typing import Any

import keras_tuner
import numpy as np
import pytest
from histories import task
from scipy.stats import kendalltau

from models.history.past_search import PastSearch
from models.oracles.warm.encoding import SpaceEncoder
from models.oracles.warm.ensemble import COLD_PRIOR, combine, weigh
from models.oracles.warm.kernel import default_kernel
from models.oracles.warm.source_models import learn, normal_scores, similarity

RESIDUAL = default_kernel(2).scaled(0.3)


def space() -> keras_tuner.HyperParameters:
    made = keras_tuner.HyperParameters()
    made.Float("rate", 0.0, 1.0)
    made.Float("dropout", 0.0, 1.0)
    return made


def configurations(drawn: np.ndarray) -> tuple[dict[str, Any], ...]:
    return tuple({"rate": float(rate), "dropout": float(drop)} for rate, drop in drawn)


def past(name: str, trials: int = 30, *, seed: int = 0, best: float = 0.3) -> PastSearch:
    drawn = np.random.default_rng(seed).random((trials, 2))
    values = configurations(drawn)
    return PastSearch(name, values, -np.abs(drawn[:, 0] - best) - 0.1 * drawn[:, 1])


def reasons(*searches: PastSearch) -> dict[str, str]:
    knowledge = learn(searches, SpaceEncoder(space()))
    assert knowledge is not None
    return {each.name: each.reason for each in knowledge.left_out}


def test_a_search_teaches_where_the_good_values_are():
    encoder = SpaceEncoder(space())
    knowledge = learn([past("one"), past("two", seed=1, best=0.4)], encoder)
    assert knowledge is not None
    assert not knowledge.left_out
    for source in knowledge.sources:
        assert source.tau > 0.6
        good, bad = source.predict(encoder.features(np.array([[0.35, 0.1], [0.95, 0.9]])))
        assert good > bad + 1.0


def test_no_past_is_nothing_to_learn():
    assert learn([], SpaceEncoder(space())) is None


def test_a_few_trials_are_not_called_noise():
    """Those of a search that went after the best are nearly all good, and their order is luck."""
    near = past("chased", 20)
    rates = [0.3 + float(each["rate"]) / 20 for each in near.values]
    values = configurations(np.array([(rate, 0.1) for rate in rates]))
    luck = np.random.default_rng(2).normal(0.8, 0.01, len(values))
    knowledge = learn([PastSearch("chased", values, luck)], SpaceEncoder(space()))
    assert knowledge is not None
    assert not knowledge.left_out
    (source,) = knowledge.sources
    assert source.tau < 0.2
    assert source.quality == pytest.approx(0.4**2)


def test_what_cannot_teach_is_left_out_with_its_reason():
    one = past("flat", 60)
    flat = PastSearch("flat", one.values, np.zeros(len(one.values)))
    noise = PastSearch("noise", one.values, np.random.default_rng(1).random(len(one.values)))
    renamed = PastSearch("renamed", tuple({"lr": each["rate"]} for each in one.values), one.scores)
    outside = PastSearch(
        "outside",
        tuple({name: float(v) + 5 for name, v in each.items()} for each in one.values),
        one.scores,
    )
    found = reasons(past("good"), flat, noise, renamed, outside, past("short", 4))
    assert set(found) == {"flat", "noise", "renamed", "outside", "short"}
    assert found["flat"] == "all of its trials scored the same"
    assert "look like noise" in found["noise"]
    assert "0 of this search's 2 hyperparameters" in found["renamed"]
    assert found["outside"] == "0 of its 60 trials lie in this search's ranges, too few"
    assert "4 of its 4 trials" in found["short"]


def test_trials_outside_the_ranges_are_left_out_alone():
    inside = past("partly", 30)
    values = (*inside.values[:27], *({**each, "rate": 7.0} for each in inside.values[27:]))
    partly = PastSearch("partly", values, inside.scores)
    knowledge = learn([partly], SpaceEncoder(space()))
    assert knowledge is not None
    assert len(knowledge.sources[0].mapped.scores) == 27


@pytest.mark.parametrize("widest", [3.0, 30.0])
def test_of_a_search_on_another_scale_the_parameter_is_not_heard(widest):
    drawn = np.random.default_rng(3).random((60, 2)) * [widest, 1.0]
    values = configurations(drawn)
    wide = PastSearch("wide", values, -np.abs(drawn[:, 1] - 0.3))
    knowledge = learn([wide], SpaceEncoder(space()))
    assert knowledge is not None
    (source,) = knowledge.sources
    assert source.mapped.shared.tolist() == [False, True]
    assert len(source.mapped.scores) == 60


@pytest.mark.parametrize("widest", [1.2, 1.6, 1.9])
def test_of_a_search_in_wider_ranges_the_trials_within_ours_are_learned_from(widest):
    drawn = np.random.default_rng(3).random((120, 2)) * [widest, 1.0]
    values = configurations(drawn)
    wide = PastSearch("wide", values, -np.abs(drawn[:, 0] - 0.3) - 0.1 * drawn[:, 1])
    encoder = SpaceEncoder(space())
    knowledge = learn([wide], encoder)
    assert knowledge is not None
    assert not knowledge.left_out
    (source,) = knowledge.sources
    assert source.mapped.shared.all()
    assert len(source.mapped.scores) == (drawn[:, 0] <= 1.0).sum()
    good, bad = source.predict(encoder.features(np.array([[0.3, 0.1], [0.95, 0.1]])))
    assert good > bad


def tree() -> keras_tuner.HyperParameters:
    made = keras_tuner.HyperParameters()
    made.Choice("kind", ["a", "b", "c"])
    for kind in "abc":
        with made.conditional_scope("kind", [kind]):
            for number in range(3):
                made.Float(f"{kind}{number}", 0.0, 1.0)
    return made


def past_of_tree(kinds: str, seed: int = 0) -> PastSearch:
    """Of trials of these kinds, in order: b is the best, and 0.8 of everything."""
    generator = np.random.default_rng(seed)
    values: list[dict[str, Any]] = []
    scores = []
    for kind in kinds:
        drawn = {f"{kind}{number}": float(generator.random()) for number in range(3)}
        values.append({"kind": kind, **drawn})
        scores.append({"a": 0.0, "b": 0.5, "c": 0.2}[kind])
        scores[-1] -= sum((each - 0.8) ** 2 for each in drawn.values())
    return PastSearch(f"tree {kinds[:3]} {seed}", tuple(values), np.array(scores))


def test_a_search_in_the_same_space_with_conditions_teaches_about_each_branch():
    encoder = SpaceEncoder(tree())
    knowledge = learn([past_of_tree("abc" * 30, seed) for seed in range(3)], encoder)
    assert knowledge is not None
    assert not knowledge.left_out
    candidates = np.random.default_rng(9).random((200, 10))
    for source in knowledge.sources:
        assert source.mapped.shared.all()
        assert len(source.mapped.scores) == 90
        truth = [
            {"a": 0.0, "b": 0.5, "c": 0.2}[str(values["kind"])]
            - sum((float(v) - 0.8) ** 2 for name, v in values.items() if name != "kind")
            for values in map(encoder.decode, candidates)
        ]
        assert kendalltau(source.predict(encoder.features(candidates)), truth).statistic > 0.7


def test_a_branch_of_few_trials_is_not_lost():
    knowledge = learn([past_of_tree("a" * 85 + "b" * 15)], SpaceEncoder(tree()))
    assert knowledge is not None
    (source,) = knowledge.sources
    assert len(source.mapped.scores) == 100
    assert source.mapped.shared.tolist() == [True] * 7 + [False] * 3, "it has never tried c"


def test_a_parameter_that_applies_but_has_no_value_is_missing():
    full = past_of_tree("abc" * 30)
    lacking = tuple({k: v for k, v in each.items() if k[0] != "b"} for each in full.values)
    knowledge = learn([PastSearch("lacks b", lacking, full.scores)], SpaceEncoder(tree()))
    assert knowledge is not None
    (source,) = knowledge.sources
    assert source.mapped.shared.tolist() == [True] * 4 + [False] * 3 + [True] * 3
    assert len(source.mapped.scores) == 90
    bare = tuple({"kind": each["kind"]} for each in full.values if each["kind"] != "c")
    knowledge = learn([PastSearch("bare", bare, full.scores[:60])], SpaceEncoder(tree()))
    assert knowledge is not None
    assert [each.reason for each in knowledge.left_out] == [
        "it has 1 of this search's 7 hyperparameters that apply to its trials"
    ]


def test_searches_that_agree_leave_less_to_expect_than_ones_that_differ():
    encoder = SpaceEncoder(space())
    agreeing = learn([past(str(n), seed=n) for n in range(4)], encoder)
    differing = learn([past(str(n), seed=n, best=n / 3) for n in range(4)], encoder)
    assert agreeing is not None
    assert differing is not None
    assert agreeing.residual.amplitude < 0.5 * differing.residual.amplitude


def test_normal_scores_are_ranks_and_nothing_else():
    scores = np.array([5.0, -3.0, 400.0, 6.0])
    assert np.array_equal(normal_scores(scores), normal_scores(np.exp(scores / 100)))
    assert normal_scores(scores).sum() == pytest.approx(0.0, abs=1e-12)


def test_of_two_equal_searches_the_one_on_the_likelier_task_weighs_more():
    encoder = SpaceEncoder(space())
    small, same, large = (
        PastSearch(name, past("x").values, past("x").scores, task(name, images, classes))
        for name, images, classes in [("small", 400, 8), ("same", 500, 10), ("large", 90_000, 900)]
    )
    knowledge = learn([small, same, large], encoder)
    assert knowledge is not None
    new = task("same", 500, 10)
    likely = {source.name: similarity(source, new) for source in knowledge.sources}
    assert likely["same"] > likely["small"] > likely["large"] > 0.0


def test_before_the_first_trial_the_priors_hold():
    priors = (1 - COLD_PRIOR) * np.array([0.7, 0.3])
    weights = weigh(priors, np.zeros((2, 0)), np.zeros(0), RESIDUAL, 0)
    assert weights.cold == pytest.approx(COLD_PRIOR)
    assert weights.sources == pytest.approx(priors)


def test_who_ranks_the_trials_right_gains_and_who_ranks_them_wrong_is_dropped():
    scores = np.linspace(0.0, 1.0, 10)
    right = normal_scores(scores)
    priors = np.array([0.45, 0.45])
    weights = weigh(priors, np.array([right, -right]), scores, RESIDUAL, len(scores))
    assert weights.sources[0] > 0.95
    assert weights.sources[1] == 0.0
    assert weights.dropped_after[0] is None
    assert weights.dropped_after[1] in range(2, 7)


def test_a_source_that_was_dropped_does_not_come_back():
    """It ranks the first six wrong, and all later ones right."""
    scores = np.concatenate([np.linspace(0, 1, 6), np.linspace(2, 3, 60)])
    expected = np.concatenate([np.linspace(1, 0, 6) * 3, np.linspace(4, 9, 60)])
    weights = weigh(np.array([0.9]), expected[None], scores, RESIDUAL, len(scores))
    assert weights.dropped_after[0] is not None
    assert weights.cold == 1.0


def test_useless_sources_take_nothing_from_the_cold_search():
    generator = np.random.default_rng(0)
    scores = np.linspace(0.0, 1.0, 12)
    useless = generator.permuted(np.tile(normal_scores(scores), (50, 1)), axis=1)
    weights = weigh(np.full(50, 0.018), useless, scores, RESIDUAL, len(scores))
    alone = weigh(np.array([0.9]), -normal_scores(scores)[None], scores, RESIDUAL, len(scores))
    assert alone.cold == 1.0
    assert weights.cold > 0.3


def test_the_common_expectation_is_the_weighted_mean():
    combined = combine(np.array([0.3, 0.1]), [np.array([1.0, 0.0]), np.array([0.0, 4.0])])
    assert combined == pytest.approx([0.75, 1.0])
    assert combine(np.zeros(2), [np.ones(3), np.ones(3)]) == pytest.approx(np.zeros(3))
