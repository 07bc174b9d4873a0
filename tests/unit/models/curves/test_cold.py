import numpy as np
from learning_curves import EPOCHS, begun, made_task

from models.curves.cold import CheapestFirst
from models.curves.learning_curve import LearningCurve


def _unbegun(task):
    return [begun(curve, 0) for curve in task.curves]


def _next(search, curves, busy=frozenset()):
    purchase = search.choose(curves, busy)
    assert purchase is not None
    return purchase


def _seconds(task):
    return np.array([curve.seconds[0] for curve in task.curves])


def _buy_all(task, curves, search):
    bought = []
    while (purchase := search.choose(curves)) is not None:
        bought.append((purchase.candidate, purchase.start, purchase.stop))
        curves[purchase.candidate] = begun(task.curves[purchase.candidate], purchase.stop)
    return bought


def test_the_cheapest_are_begun_first_and_the_better_half_goes_on():
    curves = [LearningCurve({"n": number}) for number in range(4)]
    search = CheapestFirst(np.array([4.0, 1.0, 2.0, 3.0]), 8)
    first = _next(search, curves)
    assert (first.candidate, first.start, first.stop, first.origin) == (1, 0, 1, "cold")
    curves[1] = LearningCurve({"n": 1}, (0.2,), (1.0,))
    assert _next(search, curves).candidate == 2
    curves[2] = LearningCurve({"n": 2}, (0.5,), (2.0,))
    better = _next(search, curves)
    assert (better.candidate, better.start, better.stop) == (2, 1, 2)


def test_a_higher_start_makes_up_for_a_higher_cost():
    # Two frozen backbones, and a fine-tuning of each: the dearer one starts higher by 0.1.
    frozen = [
        LearningCurve({"n": 0}, (0.6,), (1.0,), True),
        LearningCurve({}, (0.7,), (1.0,), True),
    ]
    curves = [*frozen, LearningCurve({"n": 2}), LearningCurve({"n": 3})]
    starts_from = [None, None, 0, 1]

    def third(dearer):
        search = CheapestFirst(np.array([0.0, 0.0, 0.0, dearer]), 8, starts_from)
        return _next(search, curves).candidate

    assert third(0.09) == 3
    assert third(0.11) == 2
    # Where nothing is known of the start, the cost alone tells.
    unknown = [LearningCurve({"n": number}) for number in range(4)]
    search = CheapestFirst(np.array([3.0, 4.0, 2.0, 1.0]), 8, starts_from)
    assert _next(search, unknown).candidate == 3


def test_it_buys_every_epoch_once():
    task = made_task(0)
    curves = _unbegun(task)
    bought = _buy_all(task, curves, CheapestFirst(_seconds(task), EPOCHS))
    assert all(curve.ended for curve in curves)
    assert len(set(bought)) == len(bought)
    for candidate in range(len(curves)):
        mine = [(start, stop) for number, start, stop in bought if number == candidate]
        assert mine == [(0, 1), (1, 2), (2, 4), (4, 8), (8, 16)]


def test_what_others_bought_is_passed_over_and_changes_no_choice():
    task = made_task(0)
    alone = _buy_all(task, _unbegun(task), CheapestFirst(_seconds(task), EPOCHS))
    curves = _unbegun(task)
    whole = {3, 11, 20}
    for number in whole:
        curves[number] = task.curves[number]
    beside = _buy_all(task, curves, CheapestFirst(_seconds(task), EPOCHS))
    assert beside == [each for each in alone if each[0] not in whole]


def test_a_candidate_that_is_being_trained_is_not_bought():
    curves = [LearningCurve({"n": 0}), LearningCurve({"n": 1})]
    search = CheapestFirst(np.array([1.0, 2.0]), 8)
    assert _next(search, curves, frozenset({0})).candidate == 1
    assert search.choose(curves, frozenset({0, 1})) is None


def test_what_diverged_is_not_gone_on_with():
    curves = [
        LearningCurve({"n": 0}, (0.9,), (1.0,), ended=True),
        LearningCurve({"n": 1}, (0.1,), (2.0,)),
    ]
    search = CheapestFirst(np.array([1.0, 2.0]), 4)
    purchase = _next(search, curves)
    assert (purchase.candidate, purchase.start) == (1, 1)
