"""Large messages that come one after another."""

import pytest

from serving.grpc_api.pace import LargeSenders

LARGE = 60 * 2**20


def test_large_senders_take_at_most_a_quarter_of_the_time() -> None:
    senders = LargeSenders()
    for sender in range(12):
        assert senders.wait(str(sender), now=0.0) == 0
        senders.note(str(sender), LARGE)
    waits = [senders.wait(str(sender), now=5.0) for sender in range(12)]
    assert waits == pytest.approx([number * 4 * 60 / 1024 for number in range(12)])


def test_a_sender_is_as_large_as_its_last_message() -> None:
    senders = LargeSenders()
    senders.note("a", LARGE)
    senders.note("b", LARGE)
    senders.note("a", 1000)
    assert senders.wait("b", now=1.0) == 0
    assert senders.wait("a", now=1.0) == 0
    assert senders.wait("b", now=1.1) == pytest.approx(4 * 60 / 1024 - 0.1)


def test_time_that_has_passed_is_not_waited_for() -> None:
    senders = LargeSenders()
    senders.note("a", LARGE)
    senders.wait("a", now=0.0)
    assert senders.wait("a", now=100.0) == 0


def test_few_senders_are_remembered() -> None:
    senders = LargeSenders()
    for number in range(10_002):
        senders.note(str(number), 2**20)
    senders.wait("10001", now=0.0)
    assert senders.wait("10000", now=0.0) > 0
    assert senders.wait("0", now=0.0) == 0
