import functools

import keras_tuner
import numpy as np
import pytest

from models.history.past_search import PastSearch
from models.oracles.warm.warm_start_oracle import WarmStartOracle

TRIALS = 13
GOAL = keras_tuner.Objective("score", "max")


def space() -> keras_tuner.HyperParameters:
    made = keras_tuner.HyperParameters()
    made.Float("rate", 1e-4, 1e-1, sampling="log")
    made.Float("dropout", 0.0, 0.6)
    made.Int("units", 8, 64, step=8)
    made.Choice("activation", ["relu", "gelu", "tanh"])
    made.Boolean("norm")
    return made


def truth(values, shift: float = 0.0) -> float:
    """A smooth function whose best lies off the middle; without noise."""
    rate = np.log10(values["rate"]) + 1.7 + shift
    dropout = values["dropout"] - 0.1
    units = values["units"] / 64 - 0.9
    liked = 0.2 * (values["activation"] == "gelu") + 0.1 * values["norm"]
    return float(liked - rate**2 - dropout**2 - 0.3 * units**2)


def oracle(folder, past=(), *, seed: int = 1, trials: int = TRIALS, **options) -> WarmStartOracle:
    options.setdefault("hyperparameters", space())
    made = WarmStartOracle(GOAL, trials, past, seed=seed, **options)
    made._set_project_dir(str(folder), f"search-{seed}-{len(past)}")
    made.verbose = 0
    return made


def search(made: WarmStartOracle, score=truth) -> list[float]:
    scores = []
    while (trial := made.create_trial("tuner")).status == "RUNNING":
        scores.append(score(trial.hyperparameters.values))
        made.update_trial(trial.trial_id, {"score": scores[-1]})
        trial.status = "COMPLETED"
        made.end_trial(trial)
    return scores


def configurations(made: WarmStartOracle) -> list[dict]:
    return [made.trials[name].hyperparameters.values for name in made.end_order]


def random_past(name: str, score, count: int = 40, seed: int = 0) -> PastSearch:
    generator = np.random.default_rng(seed)
    values = []
    for _ in range(count):
        drawn = space()
        for hp in drawn.space:
            drawn.values[hp.name] = hp.prob_to_value(float(generator.random()))
        values.append(dict(drawn.values))
    return PastSearch(name, tuple(values), np.array([score(each) for each in values]))


@functools.cache
def related() -> tuple[PastSearch, ...]:
    return tuple(
        random_past(f"task {number}", lambda v, s=shift: truth(v, s), seed=number)
        for number, shift in enumerate((-0.1, 0.0, 0.15))
    )


def misleading(kind: str) -> tuple[PastSearch, ...]:
    generator = np.random.default_rng(5)
    turn = generator.permutation if kind == "permuted" else np.negative
    return tuple(PastSearch(each.name, each.values, turn(each.scores)) for each in related())


def test_a_warm_start_is_at_once_where_a_cold_one_arrives_late(tmp_path):
    warm = oracle(tmp_path, related())
    warm_scores = search(warm)
    cold_scores = search(oracle(tmp_path))
    assert warm_scores[0] > max(cold_scores[:5])
    assert max(warm_scores) >= max(cold_scores) - 0.005
    gave = warm.contribution(seconds_per_trial=2.0)
    assert [each.name for each in gave.sources] == ["task 0", "task 1", "task 2"]
    assert [each.origin for each in gave.proposals[:3]] == ["portfolio", "cold", "model"]
    assert gave.cold_weights[-1] < 0.1
    assert gave.trials_saved
    assert gave.seconds_saved == 2.0 * gave.trials_saved
    assert len(gave.expected_random) == TRIALS
    assert list(gave.expected_random) == sorted(gave.expected_random)


@pytest.mark.parametrize("kind", ["inverted", "permuted"])
@pytest.mark.parametrize("cold_every", [2, 4])
def test_whatever_the_past_says_the_cold_search_is_in_it(tmp_path, kind, cold_every):
    """The guard: trial for trial, and therefore in the best score without noise."""
    cold = oracle(tmp_path)
    cold_scores = search(cold)
    warm = oracle(tmp_path, misleading(kind), cold_every=cold_every)
    warm_scores = search(warm)
    for count in range(cold_every, TRIALS + 1):
        promised = count // cold_every
        tried = configurations(warm)[:count]
        assert all(values in tried for values in configurations(cold)[:promised])
        assert max(warm_scores[:count]) >= max(cold_scores[:promised])


def test_sources_that_are_upside_down_are_dropped_and_named(tmp_path):
    warm = oracle(tmp_path, misleading("inverted"))
    scores = search(warm)
    assert all(each.dropped_after for each in warm.contribution().sources)
    assert "misled" in warm.contribution().words
    assert max(scores) >= max(search(oracle(tmp_path))) - 0.1


def test_a_past_that_holds_the_middle_to_be_the_worst_has_to_prove_itself_first(tmp_path):
    def worst_in_the_middle(values) -> float:
        return abs(np.log10(values["rate"]) + 2.5) + abs(values["dropout"] - 0.3)

    past = [random_past("upside down", worst_in_the_middle, 60)]
    first = oracle(tmp_path, past).create_trial("tuner").hyperparameters.values
    assert first["rate"] == pytest.approx(10**-2.5)
    assert first["dropout"] == pytest.approx(0.3)
    doubting, cold = oracle(tmp_path / "doubting", past), oracle(tmp_path / "cold")
    search(doubting)
    search(cold)
    assert configurations(doubting)[:3] == configurations(cold)[:3]
    gave = doubting.contribution()
    assert "doubted" in gave.words
    assert gave.cold_weights[0] == pytest.approx(0.9)
    short = [random_past("short", worst_in_the_middle, 40)]
    trusting = oracle(tmp_path / "short", short).create_trial("tuner").hyperparameters.values
    assert abs(np.log10(trusting["rate"]) + 2.5) > 0.5


def test_sources_of_noise_are_left_out_before_the_first_trial(tmp_path):
    generator = np.random.default_rng(5)
    noise = [
        random_past(f"noise {number}", lambda _: generator.random(), 100, number)
        for number in range(3)
    ]
    warm = oracle(tmp_path, noise)
    search(warm)
    gave = warm.contribution()
    assert not gave.sources
    assert all("noise" in each.reason for each in gave.left_out)
    cold = oracle(tmp_path)
    search(cold)
    assert configurations(warm) == configurations(cold)


def test_many_useless_sources_do_not_drown_a_good_one(tmp_path):
    useless = tuple(
        PastSearch(f"upside down {number}", each.values, -each.scores)
        for number, each in enumerate(random_past("x", truth, seed=number) for number in range(12))
    )
    warm = oracle(tmp_path, (*useless, *related()[1:2]))
    search(warm)
    by_name = {each.name: each for each in warm.contribution().sources}
    assert by_name["task 1"].weights[-1] > 0.5
    assert all(by_name[each.name].dropped_after for each in useless)


def test_the_same_seed_and_scores_give_the_same_proposals(tmp_path):
    first, second = (oracle(tmp_path / name, related()) for name in "ab")
    search(first)
    search(second)
    assert configurations(first) == configurations(second)


def test_a_reloaded_search_goes_on_like_one_that_was_not_interrupted(tmp_path):
    whole = oracle(tmp_path / "whole", related())
    search(whole)
    half = oracle(tmp_path / "half", related(), trials=6)
    search(half)
    half.save()
    rest = oracle(tmp_path / "half", related())
    rest.reload()
    search(rest)
    assert configurations(rest) == configurations(whole)
    assert rest.contribution() == whole.contribution()


def test_no_configuration_is_tried_twice_and_a_small_space_ends(tmp_path):
    small = keras_tuner.HyperParameters()
    small.Choice("units", [8, 16, 32])
    small.Boolean("norm")
    made = oracle(tmp_path, hyperparameters=small, trials=50)
    search(made, lambda values: values["units"] / 64 + values["norm"])
    assert len(made.trials) == 6
    assert len({str(values) for values in configurations(made)}) == 6


def test_trials_that_are_still_running_are_not_proposed_again(tmp_path):
    for past in (related(), ()):
        made = oracle(tmp_path, past)
        order = np.random.default_rng(3)
        running: list[keras_tuner.engine.trial.Trial] = []
        while len(made.end_order) < TRIALS:
            while len(running) < 4 and len(made.trials) < TRIALS:
                free = next(str(n) for n in range(4) if str(n) not in made.ongoing_trials)
                running.append(made.create_trial(free))
            trial = running.pop(order.integers(len(running)))
            made.update_trial(trial.trial_id, {"score": truth(trial.hyperparameters.values)})
            trial.status = "COMPLETED"
            made.end_trial(trial)
        assert len({str(values) for values in configurations(made)}) == TRIALS
        assert made.create_trial("0").status == "STOPPED"


def test_conditional_parameters_are_there_only_where_they_apply(tmp_path):
    tree = keras_tuner.HyperParameters()
    kind = tree.Choice("kind", ["linear", "deep"])
    with tree.conditional_scope("kind", ["deep"]):
        tree.Int("units", 8, 64)
    assert kind == "linear"

    def score(values):
        return 0.5 + values["units"] / 64 if values["kind"] == "deep" else 0.1

    made = oracle(tmp_path, hyperparameters=tree, trials=16)
    search(made, score)
    tried = configurations(made)
    assert all(("units" in values) == (values["kind"] == "deep") for values in tried)
    assert {values["kind"] for values in tried} == {"linear", "deep"}
    assert made.recommend().hyperparameters.values["units"] > 50


def test_a_past_in_another_space_is_left_out_with_its_reason(tmp_path):
    other = PastSearch("other", ({"depth": 3}, {"depth": 4}), np.array([0.1, 0.2]))
    few = PastSearch("few", related()[0].values[:3], related()[0].scores[:3])
    made = oracle(tmp_path, (other, few, related()[0]))
    search(made)
    assert [(each.name, each.reason[:18]) for each in made.contribution().left_out] == [
        ("other", "it has 0 of this s"),
        ("few", "3 of its 3 trials "),
    ]


def test_a_past_that_lacks_a_parameter_says_nothing_about_it(tmp_path):
    lacking = tuple(
        PastSearch(
            each.name,
            tuple({k: v for k, v in values.items() if k != "norm"} for values in each.values),
            each.scores,
        )
        for each in related()
    )
    made = oracle(tmp_path, lacking)
    search(made)
    assert [each.shared_parameters for each in made.contribution().sources] == [4, 4, 4]
    assert {values["norm"] for values in configurations(made)} == {True, False}


def test_recommends_the_trial_that_is_expected_best_not_the_luckiest(tmp_path):
    recommended, luckiest = [], []
    for seed in (1, 2, 3):
        noise = np.random.default_rng(seed)
        made = oracle(tmp_path, related(), seed=seed)
        search(made, lambda values, noise=noise: truth(values) + 0.2 * noise.standard_normal())
        recommended.append(truth(made.recommend().hyperparameters.values))
        luckiest.append(truth(made.get_best_trials()[0].hyperparameters.values))
    assert np.mean(recommended) > np.mean(luckiest)


def test_failed_trials_are_survived(tmp_path):
    made = oracle(tmp_path, related(), trials=8)
    for number in range(8):
        trial = made.create_trial("tuner")
        trial.status = "FAILED" if number % 2 else "COMPLETED"
        if not number % 2:
            made.update_trial(trial.trial_id, {"score": truth(trial.hyperparameters.values)})
        made.end_trial(trial)
    scores = [each.score for each in made.contribution().proposals]
    assert [score is None for score in scores] == [False, True] * 4


@pytest.mark.parametrize(
    ("past", "broken"),
    [
        (related(), -np.inf),
        ((), np.inf),
        pytest.param(related(), np.inf, marks=pytest.mark.slow),
        pytest.param((), -np.inf, marks=pytest.mark.slow),
    ],
    ids=["warm -inf", "cold inf", "warm inf", "cold -inf"],
)
def test_a_score_that_is_not_finite_counts_as_a_failure(tmp_path, past, broken):
    def diverges(values) -> bool:
        return values["units"] >= 48

    infinite = oracle(tmp_path / "infinite", past, trials=8)
    search(infinite, lambda values: broken if diverges(values) else truth(values))
    failing = oracle(tmp_path / "failing", past, trials=8, max_consecutive_failed_trials=9)
    while (trial := failing.create_trial("tuner")).status == "RUNNING":
        values = trial.hyperparameters.values
        failing.update_trial(trial.trial_id, {"score": truth(values)})
        trial.status = "FAILED" if diverges(values) else "COMPLETED"
        failing.end_trial(trial)
    assert any(diverges(values) for values in configurations(infinite))
    assert configurations(infinite) == configurations(failing)
    assert infinite.contribution() == failing.contribution()
    assert infinite.expected_gain() == failing.expected_gain()
    assert infinite.recommend().trial_id == failing.recommend().trial_id
    learned = PastSearch.from_oracle(infinite, "diverging")
    assert list(learned.values) == [v for v in configurations(infinite) if not diverges(v)]
    assert np.array_equal(learned.scores, [truth(values) for values in learned.values])


def test_a_search_of_which_every_score_is_infinite_recommends_nothing(tmp_path):
    made = oracle(tmp_path, trials=4)
    search(made, lambda _: np.inf)
    assert [each.score for each in made.contribution().proposals] == [None] * 4
    assert not PastSearch.from_oracle(made, "infinite").values
    with pytest.raises(ValueError, match="no trial has completed"):
        made.recommend()


@pytest.mark.parametrize("past", [related()[:2], ()], ids=["warm", "cold"])
def test_a_search_with_nothing_to_choose_makes_one_trial_and_says_so(tmp_path, past):
    fixed = keras_tuner.HyperParameters()
    fixed.Fixed("epochs", 5)
    for name, nothing in (("empty", keras_tuner.HyperParameters()), ("fixed", fixed)):
        made = oracle(tmp_path / name, past, hyperparameters=nothing)
        assert not made.contribution().proposals
        assert made.expected_gain() == np.inf
        with pytest.raises(ValueError, match="no trial has completed"):
            made.recommend()
        assert search(made, lambda _: 0.5) == [0.5]
        gave = made.contribution(seconds_per_trial=2.0)
        assert [(each.origin, each.score) for each in gave.proposals] == [("cold", 0.5)]
        assert gave.cold_weights == (1.0,)
        assert [each.name for each in gave.left_out] == [each.name for each in past]
        assert all("no hyperparameter" in each.reason for each in gave.left_out)
        assert gave.words.startswith("None of 2" if past else "There was no earlier search")
        assert gave.trials_saved is None
        assert made.expected_gain() == 0.0
        assert made.recommend().trial_id == made.end_order[0]


@pytest.mark.parametrize("past", [related()[:1], ()], ids=["warm", "cold"])
def test_a_negative_seed_is_a_seed(tmp_path, past):
    first, second = (oracle(tmp_path / name, past, seed=-3, trials=5) for name in "ab")
    search(first)
    search(second)
    assert configurations(first) == configurations(second)


def test_logarithmic_whole_numbers_stay_in_their_range(tmp_path):
    sizes = keras_tuner.HyperParameters()
    sizes.Int("units", 8, 64, sampling="log")
    sizes.Int("last", 1, 100, sampling="reverse_log")
    made = oracle(tmp_path, hyperparameters=sizes)
    search(made, lambda values: values["units"] + values["last"])
    assert max(values["units"] for values in configurations(made)) == 64
    assert max(values["last"] for values in configurations(made)) == 100


def test_lower_may_be_better(tmp_path):
    first = WarmStartOracle(
        keras_tuner.Objective("loss", "min"), TRIALS, hyperparameters=space(), seed=2
    )
    first._set_project_dir(str(tmp_path), "loss")
    first.verbose = 0
    while (trial := first.create_trial("tuner")).status == "RUNNING":
        made = {"loss": -truth(trial.hyperparameters.values)}
        first.update_trial(trial.trial_id, made)
        trial.status = "COMPLETED"
        first.end_trial(trial)
    past = PastSearch.from_oracle(first, "before")
    assert past.scores.max() == pytest.approx(-first.get_best_trials()[0].score)
    assert max(search(oracle(tmp_path, (past,), trials=3))) > np.median(past.scores)


@pytest.mark.parametrize("options", [{"cold_every": 1}, {"past": related()[:1] * 2}])
def test_what_makes_no_sense_is_refused(tmp_path, options):
    with pytest.raises(ValueError, match=r"cold_every takes|names that differ"):
        oracle(tmp_path, **options)


def test_given_configurations_come_first_and_leave_the_rest_as_it_is(tmp_path):
    given = {"rate": 0.02, "dropout": 0.1, "units": 32, "activation": "gelu", "norm": True}
    past = [random_past("same", truth)]
    made = oracle(tmp_path / "given", past, trials=6, first=[given])
    search(made)
    assert configurations(made)[0] == given
    alone = oracle(tmp_path / "alone", past, trials=6)
    search(alone)
    origins = [proposal.origin for proposal in made.contribution().proposals]
    assert origins == ["cold", "model", "cold", "model", "model", "model"]
    assert configurations(made)[2] == configurations(alone)[1], "the cold search is the same"
