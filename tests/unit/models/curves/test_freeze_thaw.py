from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from learning_curves import EPOCHS, begun, made_task

from models.curves.agreement import Agreement
from models.curves.cold import CheapestFirst
from models.curves.freeze_thaw import COLD_SHARE, FreezeThaw
from models.curves.learning_curve import CurveTask, LearningCurve
from models.curves.purchase import Purchase
from models.curves.surrogate import Surrogate

TASK = made_task(9)
BEST = max(curve.best() for curve in TASK.curves)


def _inverted(task):
    curves = tuple(
        LearningCurve(
            each.values, tuple(1 - score for score in each.scores), each.seconds, each.ended
        )
        for each in task.curves
    )
    return CurveTask(task.name, task.size, task.description, curves)


@pytest.fixture(scope="module")
def past():
    return [made_task(seed) for seed in range(4)]


@pytest.fixture(scope="module")
def surrogate(past):
    return Surrogate(past)


def _search(surrogate, seconds=None):
    told = np.array([curve.seconds[0] for curve in TASK.curves]) if seconds is None else seconds
    values = [curve.values for curve in TASK.curves]
    return FreezeThaw(TASK, values, surrogate, most=EPOCHS, seconds=told)


def _steps(search, most=10_000):
    """Purchases, each with the seconds spent and the best score after it."""
    spent = 0.0
    steps: list[tuple[Purchase, float, float]] = []
    while len(steps) < most and (purchase := search.choose()) is not None:
        whole = TASK.curves[purchase.candidate]
        spent += sum(whole.seconds[purchase.start : purchase.stop])
        search.observe(purchase, begun(whole, purchase.stop))
        steps.append((purchase, spent, max(curve.best() for curve in search.curves)))
    return steps


def _seconds_to(steps, score):
    return next(spent for _, spent, best in steps if best >= score)


def test_it_finds_the_best_in_a_fraction_of_the_cold_seconds(surrogate):
    warm = _seconds_to(_steps(_search(surrogate)), 0.99 * BEST)
    cold = _seconds_to(_steps(_search(None)), 0.99 * BEST)
    assert warm < cold / 3


def test_it_buys_all_in_the_end_and_nothing_twice(surrogate):
    search = _search(surrogate)
    steps = _steps(search)
    assert all(curve.ended for curve in search.curves)
    bought = [(purchase.candidate, purchase.start) for purchase, _, _ in steps]
    assert len(set(bought)) == len(bought)


def test_without_a_past_it_is_the_cold_search():
    steps = _steps(_search(None))
    cold = CheapestFirst(np.array([curve.seconds[0] for curve in TASK.curves]), EPOCHS)
    curves = [begun(curve, 0) for curve in TASK.curves]
    for purchase, _, _ in steps:
        assert cold.choose(curves) == purchase
        curves[purchase.candidate] = begun(TASK.curves[purchase.candidate], purchase.stop)


def test_a_past_that_misleads_is_dropped(past):
    search = _search(Surrogate([_inverted(task) for task in past]))
    assert search.trusts_past
    steps = _steps(search, 30)
    assert not search.trusts_past
    assert {purchase.origin for purchase, _, _ in steps[-10:]} == {"cold"}


def test_a_past_that_helps_is_kept(surrogate):
    search = _search(surrogate)
    _steps(search, 60)
    assert search.trusts_past


def test_the_cold_search_gets_its_share(surrogate):
    search = _search(surrogate)
    total = cold = 0.0
    longest = max(sum(curve.seconds) for curve in TASK.curves)
    for purchase, spent, _ in _steps(search):
        cold += (spent - total) * (purchase.origin == "cold")
        total = spent
        if not all(curve.ended for curve in search.curves):
            assert cold >= COLD_SHARE * total - longest
    assert cold > 0


def test_costs_are_learned_where_nobody_tells_them(surrogate):
    values = [curve.values for curve in TASK.curves]
    search = FreezeThaw(TASK, values, surrogate, most=EPOCHS)
    assert _steps(search, 15)[-1][2] > 0.9 * BEST
    with pytest.raises(ValueError, match="without a past, the seconds"):
        FreezeThaw(TASK, values, None, most=EPOCHS)


@pytest.mark.parametrize("warm", [True, False])
def test_nothing_is_bought_that_the_rest_does_not_pay_for(surrogate, warm):
    search = _search(surrogate if warm else None)
    assert search.choose(remaining=0.5) is None
    purchase = search.choose(remaining=1.5)
    assert TASK.curves[purchase.candidate].seconds[0] <= 1.5


def test_what_is_being_trained_is_not_bought(surrogate):
    search = _search(surrogate)
    first = search.choose().candidate
    assert search.choose(frozenset({first})).candidate != first
    assert search.choose(frozenset(range(len(TASK.curves)))) is None


def test_agreement_is_of_pairs():
    agreement = Agreement()
    for place in range(6):
        # As long as hardly anything is seen, nothing is held against the past, nor for it.
        assert agreement.holds
        assert not agreement.is_known
        agreement.add(0.1 * place, 0.5 - 0.1 * place)
    assert agreement.is_known
    assert agreement.gamma == -1.0
    assert not agreement.holds


def test_seconds_of_another_machine_are_rescaled(surrogate):
    values = [curve.values for curve in TASK.curves]
    told = np.array([curve.seconds[0] for curve in TASK.curves])
    search = FreezeThaw(TASK, values, surrogate, most=EPOCHS, seconds=told / 50, is_relative=True)
    assert search.choose(remaining=0.5) is not None
    _steps(search, 3)
    assert search.choose(remaining=0.5) is None


def test_what_each_purchase_costs_before_its_first_epoch_counts(surrogate):
    values = [curve.values for curve in TASK.curves]
    told = np.array([curve.seconds[0] for curve in TASK.curves])
    search = FreezeThaw(TASK, values, surrogate, most=EPOCHS, seconds=told, start_seconds=100.0)
    assert search.choose(remaining=99.0) is None
    # What an epoch costs hardly matters then: the best is begun with, and not the cheapest.
    purchase = search.choose()
    assert purchase is not None
    assert values[purchase.candidate]["backbone"] == "middle"


def test_the_opening_is_bought_whatever_it_costs_and_not_waited_for(surrogate):
    values = [curve.values for curve in TASK.curves]
    seconds = np.array([curve.seconds[0] for curve in TASK.curves])
    dearest = int(seconds.argmax())
    order = [dearest, *(each for each in range(len(values)) if each != dearest)]
    search = FreezeThaw(
        TASK,
        [values[each] for each in order],
        surrogate,
        most=EPOCHS,
        seconds=seconds[order],
        opening=True,
    )
    assert search.choose(remaining=1e-9) == Purchase(0, 0, 1, "warm")
    other = search.choose(frozenset({0}))
    assert other is not None
    assert other.candidate != 0
    search.observe(Purchase(0, 0, 1, "warm"), begun(TASK.curves[dearest], 1))
    assert search.choose(remaining=1e-9) is None


FROZEN = [LearningCurve({"backbone": name}) for name in ("small", "middle", "large")]
TUNED = [LearningCurve({"backbone": name, "rate": 0.1}) for name in ("small", "middle", "large")]


def _with_origins(surrogate, seconds, **settings):
    return FreezeThaw(
        TASK,
        [curve.values for curve in [*FROZEN, *TUNED]],
        surrogate,
        most=EPOCHS,
        seconds=np.array(seconds),
        starts_from=[None, None, None, 0, 1, 2],
        **settings,
    )


def _seen(search, candidate, score, seconds):
    bought = Purchase(candidate, 0, 1, "cold")
    search.observe(
        bought, LearningCurve(search.curves[candidate].values, (score,), (seconds,), True)
    )


def test_what_others_start_from_is_bought_first_as_far_as_its_share_goes(surrogate):
    search = _with_origins(surrogate, [1.0, 2.0, 30.0, 0.1, 0.2, 0.3], budget=60.0)
    # A third of 60 seconds pays for two of the three.
    assert search.choose(remaining=60.0) == Purchase(0, 0, 1, "cold")
    assert search.choose(frozenset({0}), remaining=60.0) == Purchase(1, 0, 1, "cold")
    for candidate, seconds in ((0, 1.0), (1, 2.0)):
        _seen(search, candidate, 0.5, seconds)
    third = search.choose(remaining=57.0)
    assert third is not None
    assert third.candidate >= 3
    # Without a budget there is no share of it.
    assert _with_origins(surrogate, [9.0, 9.0, 9.0, 0.1, 0.2, 0.3]).choose().candidate >= 3


def test_what_others_start_from_says_nothing_of_what_they_take(surrogate):
    search = _with_origins(surrogate, [1.0] * 6, budget=30.0, is_relative=True)
    # Ten times what was told, which is the end of their share.
    _seen(search, 0, 0.5, 10.0)
    assert search.choose(remaining=5.0).candidate >= 3
    _seen(search, 3, 0.6, 10.0)
    assert search.choose(remaining=5.0) is None


@pytest.mark.parametrize("has_past", [True, False])
def test_the_opening_goes_on_until_half_of_the_budget_is_spent(surrogate, has_past):
    whole = TASK.curves[0]
    values = [curve.values for curve in TASK.curves]
    told = np.array([curve.seconds[0] for curve in TASK.curves])
    known = surrogate if has_past else None
    make = partial(FreezeThaw, TASK, values, known, most=EPOCHS, seconds=told, opening=True)
    # Half of it is ten epochs of the opening, which are between the rungs at 8 and 16.
    left = budget = 20 * float(np.mean(whole.seconds))
    search = make(budget=budget)
    for start, stop in ((0, 1), (1, 2), (2, 4), (4, 8)):
        assert search.choose(remaining=left) == Purchase(0, start, stop, "warm")
        left -= sum(whole.seconds[start:stop])
        search.observe(Purchase(0, start, stop, "warm"), begun(whole, stop))
    other = search.choose(remaining=left)
    assert other is not None
    assert other.candidate != 0
    # Without a budget nothing but its first epoch comes before the others.
    free = make()
    free.observe(Purchase(0, 0, 1, "warm"), begun(whole, 1))
    other = free.choose()
    assert other is not None
    assert other.start == 0


@pytest.mark.parametrize("has_past", [True, False])
def test_what_starts_highest_is_begun_first(past, has_past):
    started = [
        CurveTask(
            task.name,
            task.size,
            task.description,
            tuple(replace(curve, start=0.9 * curve.scores[0]) for curve in task.curves),
        )
        for task in past
    ]
    search = _with_origins(Surrogate(started) if has_past else None, [1.0] * 6)
    for candidate, score in ((0, 0.2), (1, 0.25), (2, 0.8)):
        _seen(search, candidate, score, 1.0)
    begun_first = search.choose(remaining=100.0)
    assert begun_first is not None
    assert begun_first.candidate == 5


def test_what_costs_more_to_begin_is_begun_later(surrogate):
    search = _search(surrogate)
    first = search.choose()
    starts = np.zeros(len(TASK.curves))
    starts[first.candidate] = 1e6
    search.start_seconds = starts
    assert search.choose().candidate != first.candidate
    assert search.choose(remaining=1e5).candidate != first.candidate


@pytest.mark.parametrize("seconds", [(1.0, 10.0), (10.0, 1.0), (0.5, 0.6), (300.0, 200.0)])
def test_of_two_that_promise_the_same_the_cheaper_is_begun(surrogate, seconds):
    values = [TASK.curves[0].values] * 2
    search = FreezeThaw(TASK, values, surrogate, most=EPOCHS, seconds=np.array(seconds))
    first = search.choose()
    assert first == Purchase(int(np.argmin(seconds)), 0, 1, "warm")


def test_a_promise_is_what_a_curve_is_expected_to_end_at(surrogate):
    search, cold = _search(surrogate), _search(None)
    for each in (search, cold):
        _steps(each, most=6)
    for each in (search, cold):
        best = np.array([curve.best() for curve in each.curves])
        assert (each.promises() >= best).all()
        assert (each.promises()[best == 0] == 0).all()
    assert (search.promises() > [curve.best() for curve in search.curves]).any()
    np.testing.assert_array_equal(cold.promises(), [curve.best() for curve in cold.curves])


def test_more_time_is_expected_to_bring_more(surrogate):
    search = _search(surrogate)
    _steps(search, most=4)
    little, much = search.expected_gain(1.0), search.expected_gain(1e6)
    assert 0 <= little <= much
    assert much > search.expected_gain(0.0) == 0
    _steps(search)
    assert search.expected_gain(1e6) == 0
    assert _search(None).expected_gain(1e6) is None
