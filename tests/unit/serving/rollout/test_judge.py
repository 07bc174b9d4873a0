"""The judge of a canary: right about made canaries, and in words."""

import math

import numpy as np
import pytest

from benchmarks.rollout import CANARIES, outcome
from serving.rollout.e_processes import MeanTest, OriginTest, upper_bound
from serving.rollout.judge import Answer, Decision, Judge

SEEDS = 12


@pytest.mark.parametrize(
    "name", ["wrong labels", "10 times slower", "5 % errors", "one class for all"]
)
def test_a_bad_canary_falls_within_200_requests(name: str) -> None:
    found = [outcome(seed, CANARIES[name], share=0.1, most=200) for seed in range(SEEDS)]
    assert sum(decision is Decision.ROLL_BACK for decision, _ in found) >= SEEDS - 1


def test_a_good_canary_is_promoted() -> None:
    found = [outcome(seed, CANARIES["good"], share=0.1, most=2000) for seed in range(SEEDS)]
    assert sum(decision is Decision.PROMOTE for decision, _ in found) >= SEEDS - 1


def _judge(requests: int, canary_fails: float = 0.0, slower: float = 1.0) -> Judge:
    random, judge = np.random.default_rng(0), Judge()
    for number in range(requests):
        from_canary = number % 5 == 0
        failed = from_canary and bool(random.random() < canary_fails)
        judge.request(from_canary, failed, 0.02 * (slower if from_canary else 1.0), share=0.2)
    return judge


def test_the_reason_names_what_is_worse() -> None:
    failing = _judge(500, canary_fails=0.5).verdict()
    assert failing.decision is Decision.ROLL_BACK
    assert "Of the canary's requests " in failing.reason
    assert " failed." in failing.reason
    slow = _judge(500, slower=3.0).verdict()
    assert slow.decision is Decision.ROLL_BACK
    assert "took more than 30 ms" in slow.reason


def _beside_an_outage(seed: int, slower: float) -> Judge:
    """The stable's server is away for most of the time, and comes back."""
    random, judge = np.random.default_rng(seed), Judge()
    for number in range(3000):
        from_canary = bool(random.random() < 0.5)
        failed = not from_canary and 200 < number < 2800 and bool(random.random() < 0.98)
        seconds = float(random.lognormal(-4.0, 0.7)) * (slower if from_canary else 1.0)
        judge.request(from_canary, failed, seconds, share=0.5)
    return judge


def test_a_canary_is_not_slow_because_the_stable_is_away() -> None:
    """What is slow among the answers is the canary's then, as all answers are."""
    for seed in range(6):
        assert _beside_an_outage(seed, 1.0).verdict().decision is Decision.GO_ON


def test_a_slow_canary_is_found_beside_an_outage_of_the_stable_too() -> None:
    for seed in range(6):
        verdict = _beside_an_outage(seed, 10.0).verdict()
        assert verdict.decision is Decision.ROLL_BACK
        assert "took more than" in verdict.reason
        assert "stable's that failed count as slow" in verdict.reason


def test_other_answers_where_the_stable_is_sure() -> None:
    judge = _judge(500)
    for _ in range(30):
        judge.pair(Answer("cat", 0.99), Answer("dog", 0.99))
    verdict = judge.verdict()
    assert verdict.decision is Decision.ROLL_BACK
    assert "The answers to 30 of 30 images differ" in verdict.reason


def test_other_answers_where_the_stable_doubts_are_no_reason() -> None:
    judge = _judge(5000)
    for number in range(300):
        judge.pair(Answer("cat", 0.7), Answer("dog" if number % 2 else "cat", 0.7))
    assert judge.verdict().decision is Decision.PROMOTE


def test_a_request_on_which_both_fail_is_not_held_against_the_canary() -> None:
    judge = _judge(5000)
    for _ in range(300):
        judge.pair(None, None)
    assert judge.verdict().decision is Decision.GO_ON
    for _ in range(40):
        judge.pair(Answer("cat", 0.99), None)
    assert judge.verdict().decision is Decision.ROLL_BACK


def test_nothing_is_decided_before_there_is_something_to_decide_on() -> None:
    verdict = _judge(100).verdict()
    assert verdict.decision is Decision.GO_ON
    assert "20 of at least 200" in verdict.reason
    assert "0 of at least 50 images" in verdict.reason


def test_bets_on_the_origin_are_fair() -> None:
    """The mean wealth after an event stays 1 whatever was seen before."""
    test = OriginTest(0.04)
    for number in range(50):
        test.add(number % 7 == 0, number % 3 == 0, share=0.1)
    before = test.wealth
    wealths = []
    for from_canary in (True, False):
        again = OriginTest(0.04)
        for number in range(50):
            again.add(number % 7 == 0, number % 3 == 0, share=0.1)
        again.add(from_canary, True, share=0.1)
        wealths.append(again.wealth)
    assert 0.1 * wealths[0] + 0.9 * wealths[1] == pytest.approx(before)


def test_bets_on_a_mean_are_fair_and_win() -> None:
    fair, won = MeanTest(-0.5), MeanTest(-0.5)
    for _ in range(2):
        fair.add(0.0)
    assert fair.wealth == pytest.approx(1)
    for _ in range(20):
        won.add(0.5)
    assert won.wealth > 1000


def test_the_upper_bound_holds_all_the_time() -> None:
    rate, broken = 0.03, 0
    for seed in range(100):
        events = np.cumsum(np.random.default_rng(seed).random(1000) < rate)
        broken += any(upper_bound(int(events[n - 1]), n, 0.05) < rate for n in range(20, 1001, 20))
    assert broken <= 8
    assert upper_bound(0, 300, 0.05) < 0.03
    assert upper_bound(0, 0, 0.05) == pytest.approx(1)
    assert not math.isnan(upper_bound(10, 10, 0.05))
