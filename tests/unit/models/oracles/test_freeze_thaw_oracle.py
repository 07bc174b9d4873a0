"""The oracle without a tuner: the test answers from curves that a formula makes."""

import math
from types import SimpleNamespace
from typing import Any

import keras_tuner
import numpy as np
import pytest
from keras_tuner.engine.trial import Trial, TrialStatus
from learning_curves import EPOCHS, made_task

from models.curves.learning_curve import CurveTask
from models.oracles.freeze_thaw_oracle import (
    CONTINUES,
    ELAPSED,
    ENDED,
    EPOCHS as STOP,
    INITIAL_EPOCH,
    SECONDS,
    FreezeThawOracle,
)

TASK = CurveTask("new", 1000.0, {"classes": 10.0})
SECONDS_OF = {"small": 1.0, "middle": 3.0, "large": 9.0}


class Clock:
    """Goes on by what trials take."""

    now = 0.0


@pytest.fixture(autouse=True)
def clock(monkeypatch):
    made = Clock()
    stopped = SimpleNamespace(monotonic=lambda: made.now, sleep=lambda _: None)
    monkeypatch.setattr("models.oracles.freeze_thaw_oracle.time", stopped)
    monkeypatch.setattr("models.oracles.leases.time", stopped)
    return made


def _space():
    space = keras_tuner.HyperParameters()
    space.Choice("backbone", ["small", "middle", "large"])
    space.Float("rate", 1e-5, 1e-1, sampling="log")
    return space


def _oracle(folder, objective=None, **settings):
    merged: dict[str, Any] = {"max_epochs": EPOCHS, "candidates": 30, "seed": 3, "task": TASK}
    merged |= settings
    oracle = FreezeThawOracle(
        objective or keras_tuner.Objective("score", "max"), hyperparameters=_space(), **merged
    )
    oracle.verbose = 0
    oracle._set_project_dir(folder, "search")
    return oracle


def _score(values, epochs):
    end = {"small": 0.7, "middle": 0.9, "large": 0.85}[values["backbone"]]
    return (end - 0.1 * (math.log10(values["rate"]) + 3) ** 2) * (1 - math.exp(-epochs / 3))


def _answer(oracle, trial, clock, *, report=True):
    values = trial.hyperparameters.values
    each = SECONDS_OF[values["backbone"]]
    for epoch in range(values[INITIAL_EPOCH] + 1, values[STOP] + 1):
        clock.now += each
        if report:
            metrics = {"score": max(_score(values, epoch), 0.0), SECONDS: each}
            oracle.update_trial(trial.trial_id, metrics, step=epoch)
    oracle.update_trial(trial.trial_id, {"score": max(_score(values, values[STOP]), 0.0)})
    trial.status = TrialStatus.COMPLETED
    oracle.end_trial(trial)


def _run(oracle, clock, most=300, **settings):
    made = []
    for _ in range(most):
        trial = oracle.create_trial("tuner0")
        if trial.status == TrialStatus.STOPPED:
            break
        _answer(oracle, trial, clock, **settings)
        made.append(oracle.get_trial(trial.trial_id))
    return made


def test_trials_continue_each_other_as_hyperbands_do(tmp_path, clock):
    oracle = _oracle(tmp_path, max_trials=25)
    ended: dict[tuple[str, float], Trial] = {}
    for trial in _run(oracle, clock):
        values = trial.hyperparameters.values
        configuration = values["backbone"], values["rate"]
        assert values[INITIAL_EPOCH] < values[STOP]
        earlier = ended.get(configuration)
        assert values.get(CONTINUES) == (earlier.trial_id if earlier else None)
        before = earlier.hyperparameters.values[STOP] if earlier else 0
        assert values[INITIAL_EPOCH] == before
        ended[configuration] = trial
    assert any(CONTINUES in trial.hyperparameters.values for trial in ended.values())


def test_a_budget_may_be_extended_once_when_it_is_spent(tmp_path, clock):
    asked = []

    def extension():
        asked.append(oracle.spent)
        return 90.0

    oracle = _oracle(tmp_path, budget=30.0)
    oracle.extension = extension
    _run(oracle, clock)
    (spent,) = asked
    assert 20.0 < spent < 40.0
    assert oracle.budget == 120.0
    assert 90.0 < oracle.spent < 130.0


def test_the_budget_is_not_overrun_by_more_than_an_epoch_was_misjudged(tmp_path, clock):
    oracle = _oracle(tmp_path, budget=60.0, seconds=lambda values: SECONDS_OF[values["backbone"]])
    made = _run(oracle, clock)
    assert made
    assert oracle.spent == pytest.approx(clock.now)
    assert 50 <= oracle.spent <= 60


def test_a_budget_that_nothing_fits_is_enough_for_one_trial(tmp_path, clock):
    past = [made_task(seed) for seed in range(4)]
    for name, more in (("cold", {"seconds": lambda _: 9.0}), ("warm", {"past": past})):
        oracle = _oracle(tmp_path / name, budget=1e-3, **more)
        assert len(_run(oracle, clock)) == 1
        assert oracle.get_best_trials(1)


def test_the_past_leads_to_the_best_at_once(tmp_path, clock):
    past = [made_task(seed) for seed in range(4)]
    made = _run(_oracle(tmp_path, past=past, max_trials=12), clock)
    assert max(trial.score for trial in made) > 0.85


def test_a_search_goes_on_after_a_kill_as_if_nothing_had_happened(tmp_path, clock):
    past = [made_task(seed) for seed in range(2)]
    whole = _run(_oracle(tmp_path / "whole", past=past, max_trials=20), clock)
    _run(_oracle(tmp_path / "killed", past=past, max_trials=20), clock, 9)
    again = _oracle(tmp_path / "killed", past=past, max_trials=20)
    again.reload()
    again.verbose = 0
    _run(again, clock)
    assert [again.trials[each].hyperparameters.values for each in again.end_order] == [
        trial.hyperparameters.values for trial in whole
    ]


def test_a_reloaded_search_knows_what_it_spent(tmp_path, clock):
    oracle = _oracle(tmp_path, budget=40.0)
    _run(oracle, clock)
    spent = oracle.spent
    again = _oracle(tmp_path, budget=40.0)
    again.reload()
    assert again.spent == spent
    assert again.as_task("kept") == oracle.as_task("kept")


def test_workers_get_different_configurations(tmp_path):
    oracle = _oracle(tmp_path, max_trials=20)
    trials = [oracle.create_trial(f"worker{number}") for number in range(5)]
    assert len({str(trial.hyperparameters.values) for trial in trials}) == 5


def test_a_lost_trial_is_handed_out_again_and_counts_once(tmp_path, clock):
    oracle = _oracle(tmp_path, max_trials=3)
    lost = oracle.create_trial("dead")
    oracle.lose("dead", "workers were killed")
    taken = oracle.create_trial("alive")
    assert taken.trial_id == lost.trial_id
    _answer(oracle, taken, clock)
    assert len(oracle.as_task("this").curves) == 1


def test_a_configuration_that_failed_is_not_tried_again(tmp_path, clock):
    oracle = _oracle(tmp_path, max_trials=20, max_consecutive_failed_trials=99)
    failed = oracle.create_trial("tuner0")
    clock.now += 5
    failed.status = TrialStatus.FAILED
    oracle.end_trial(failed)
    assert oracle.spent == 5
    values = failed.hyperparameters.values
    rest = [trial.hyperparameters.values for trial in _run(oracle, clock)]
    assert (values["backbone"], values["rate"]) not in [
        (each["backbone"], each["rate"]) for each in rest
    ]


def test_a_tuner_that_reports_no_epochs_will_do(tmp_path, clock):
    oracle = _oracle(tmp_path, max_trials=10)
    made = _run(oracle, clock, report=False)
    curve = oracle.as_task("this").curves[0]
    assert curve.scores[0] == pytest.approx(made[0].score)
    assert curve.seconds[0] == SECONDS_OF[curve.values["backbone"]]


def test_a_loss_counts_by_the_likelihood(tmp_path, clock):
    oracle = _oracle(tmp_path, keras_tuner.Objective("val_loss", "min"), max_trials=2)
    trial = oracle.create_trial("tuner0")
    clock.now += 1
    oracle.update_trial(trial.trial_id, {"val_loss": 0.5})
    trial.status = TrialStatus.COMPLETED
    oracle.end_trial(trial)
    assert oracle.as_task("this").curves[0].scores == (pytest.approx(math.exp(-0.5)),)


def test_what_it_found_is_a_past_for_the_next(tmp_path, clock):
    first = _oracle(tmp_path / "first", max_trials=60)
    _run(first, clock)
    second = _oracle(tmp_path / "second", past=[first.as_task("first")], max_trials=10)
    made = _run(second, clock)
    assert second.trusts_past
    assert max(trial.score for trial in made) > 0.6


def test_a_small_space_is_searched_whole(tmp_path, clock):
    space = keras_tuner.HyperParameters()
    space.Choice("backbone", ["small", "middle"])
    space.Fixed("rate", 1e-3)
    oracle = FreezeThawOracle(
        keras_tuner.Objective("score", "max"), budget=1e6, hyperparameters=space, max_epochs=4
    )
    oracle.verbose = 0
    oracle._set_project_dir(tmp_path, "search")
    made = _run(oracle, clock)
    assert len(made) == 6
    assert np.isclose(
        max(trial.score for trial in made), _score({"backbone": "middle", "rate": 1e-3}, 4)
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "needs a budget in seconds or max_trials"),
        ({"budget": 0.0}, "budget takes a number above 0, but got 0"),
        ({"budget": 1.0, "max_epochs": 0}, "max_epochs takes a number above 0"),
        ({"budget": 1.0, "past": [made_task(0)], "task": None}, "say by `task`"),
    ],
)
def test_settings_that_make_no_search_are_refused(tmp_path, settings, message):
    with pytest.raises(ValueError, match=message):
        _oracle(tmp_path, **settings)


def _pool():
    return [{"backbone": name, "rate": rate} for name in SECONDS_OF for rate in (1e-4, 1e-3, 1e-2)]


def test_a_pool_is_all_there_is_and_its_first_is_begun_first(tmp_path, clock):
    pool = _pool()
    pool.insert(0, pool.pop())
    oracle = _oracle(tmp_path, pool=pool, budget=200.0)
    trials = _run(oracle, clock)
    tried = [{name: trial.hyperparameters.values[name] for name in pool[0]} for trial in trials]
    assert tried[0] == pool[0]
    assert all(each in pool for each in tried)
    promises = oracle.promises()
    assert {str(values) for values, _ in promises} == {str(each) for each in tried}
    assert max(promise for _, promise in promises) == max(trial.score for trial in trials)
    assert oracle.expected_gain(60.0) is None


def test_what_others_start_from_is_tried_before_them(tmp_path, clock):
    frozen = [{"backbone": name, "rate": 1e-9} for name in SECONDS_OF]
    lonely = {"backbone": "none", "rate": 1e-3}
    oracle = _oracle(
        tmp_path,
        pool=[*_pool(), *frozen],
        budget=1000.0,
        starts_from=lambda values: {**values, "rate": 1e-9} if values["rate"] > 1e-9 else None,
    )
    trials = _run(oracle, clock)
    tried = [
        (each.hyperparameters.values["backbone"], each.hyperparameters.values["rate"])
        for each in trials
    ]
    opening, *rest = tried
    assert opening == tuple(_pool()[0].values())
    assert set(rest[: len(frozen)]) == {tuple(each.values()) for each in frozen}
    # What is no candidate is nothing to start from.
    alone = _oracle(tmp_path / "alone", pool=[lonely], budget=10.0, starts_from=lambda _: frozen[0])
    assert alone.create_trial("tuner0").hyperparameters.values["backbone"] == "none"


def test_what_a_tuner_says_a_trial_took_counts_in_the_place_of_the_clock(tmp_path, clock):
    oracle = _oracle(tmp_path, pool=_pool(), budget=100.0)
    trial = oracle.create_trial("tuner0")
    oracle.update_trial(trial.trial_id, {"score": 0.5, SECONDS: 2.0}, step=1)
    oracle.update_trial(trial.trial_id, {"score": 0.5, ELAPSED: 30.0})
    trial.status = TrialStatus.COMPLETED
    oracle.end_trial(trial)
    assert clock.now == 0
    assert oracle.spent == 30.0


def test_what_has_ended_is_not_gone_on_with(tmp_path, clock):
    oracle = _oracle(tmp_path, pool=_pool()[:1], budget=100.0)
    trial = oracle.create_trial("tuner0")
    oracle.update_trial(trial.trial_id, {"score": 0.5, SECONDS: 2.0}, step=1)
    oracle.update_trial(trial.trial_id, {"score": 0.5, ELAPSED: 2.0, ENDED: 1.0})
    trial.status = TrialStatus.COMPLETED
    oracle.end_trial(trial)
    assert oracle.create_trial("tuner0").status == TrialStatus.STOPPED


def test_what_costs_too_much_to_begin_is_not_begun(tmp_path, clock):
    def starts(values):
        return 1e6 if values["backbone"] == "middle" else 0.0

    oracle = _oracle(tmp_path, pool=_pool(), budget=300.0, start_seconds=starts)
    backbones = {trial.hyperparameters.values["backbone"] for trial in _run(oracle, clock)}
    assert backbones == {"small", "large"}
