"""When the client asks again, on a clock that the test moves."""

import asyncio
import random
from collections.abc import Callable

import pytest

from serving.client.errors import PredictionError, UnansweredError, Why
from serving.client.retries import Retries


class Longest(random.Random):
    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


class Clock:
    """Time that passes where somebody sleeps; it is 100."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def retries(self, chance: random.Random | None = None, **options: bool) -> Retries:
        """By default, always with the longest delay."""
        chance = chance or Longest()
        return Retries(chance=chance, now=lambda: self.now, sleep=self.sleep, **options)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def ask(retry: Retries, attempt: Callable[[int], str], deadline: float) -> tuple[str, int]:
    made = 0

    async def once(_: float) -> str:
        nonlocal made
        made += 1
        return attempt(made)

    async def run() -> str:
        return await retry.ask(once, deadline)

    try:
        return asyncio.run(run()), made
    except PredictionError as error:
        return str(error), made


def fails(why: Why, wait: float = 0.0, until: float = float("inf")) -> Callable[[int], str]:
    def attempt(number: int) -> str:
        if number < until:
            raise UnansweredError(why, PredictionError(f"failed {number}"), wait)
        return "answer"

    return attempt


def test_delays_double_up_to_a_bound(clock: Clock) -> None:
    assert ask(clock.retries(), fails(Why.BUSY, until=9), 200.0) == ("answer", 9)
    assert clock.slept == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.0, 3.0, 3.0])


def test_delays_are_drawn_anew(clock: Clock) -> None:
    ask(clock.retries(random.Random(1)), fails(Why.BUSY, until=5), 200.0)
    ask(clock.retries(random.Random(2)), fails(Why.BUSY, until=5), 200.0)
    assert len(set(clock.slept)) == 8
    for place, delay in enumerate(clock.slept):
        assert 0.0 <= delay <= 0.1 * 2 ** (place % 4)


def test_nothing_is_waited_for_beyond_the_deadline(clock: Clock) -> None:
    words, made = ask(clock.retries(), fails(Why.BUSY), 104.0)
    assert (words, made) == ("failed 6", 6)
    assert clock.now == pytest.approx(103.1)


def test_a_server_is_left_alone_as_long_as_it_asks(clock: Clock) -> None:
    assert ask(clock.retries(), fails(Why.BUSY, wait=2.5, until=3), 110.0) == ("answer", 3)
    assert clock.slept == [2.5, 2.5]
    assert ask(clock.retries(), fails(Why.BUSY, wait=60.0), 110.0)[1] == 1


def test_an_address_that_never_answered_is_given_up_soon(clock: Clock) -> None:
    retry = clock.retries()
    words, made = ask(retry, fails(Why.UNREACHED), 200.0)
    assert (words, made) == ("failed 4", 4)
    assert clock.now < 101.0
    assert ask(retry, lambda _: "answer", 200.0) == ("answer", 1)
    ask(retry, fails(Why.UNREACHED), 200.0)
    assert 190.0 < clock.now <= 200.0


def test_a_request_that_breaks_each_connection_is_sent_three_times(clock: Clock) -> None:
    retry = clock.retries(has_answered=True)
    assert ask(retry, fails(Why.BROKEN), 200.0) == ("failed 3", 3)
    assert ask(retry, fails(Why.BROKEN, until=3), 200.0) == ("answer", 3)


def test_other_errors_end_it(clock: Clock) -> None:
    def attempt(_: int) -> str:
        raise PredictionError("no model")

    assert ask(clock.retries(), attempt, 200.0) == ("no model", 1)
    assert ask(clock.retries(is_on=False), fails(Why.BUSY), 200.0) == ("failed 1", 1)
