import contextlib
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from models.errors import UsageError
from pipeline.time_limit import OutOfTime, TimeLimit

_SOON = 0.02 / 60


def test_a_block_ends_when_its_minutes_are_over() -> None:
    before = signal.getsignal(signal.SIGALRM)
    with pytest.raises(OutOfTime), TimeLimit(_SOON):
        time.sleep(60)
    assert signal.getsignal(signal.SIGALRM) == before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_what_swallows_failures_does_not_swallow_it() -> None:
    with pytest.raises(OutOfTime), TimeLimit(_SOON), contextlib.suppress(Exception):
        time.sleep(60)


def test_where_it_was_swallowed_all_the_same_the_next_check_tells() -> None:
    with TimeLimit(_SOON) as limit:
        limit.check()
        with contextlib.suppress(BaseException):
            time.sleep(60)
        with pytest.raises(OutOfTime):
            limit.check()


def test_an_error_that_a_library_makes_of_it_is_told_as_it() -> None:
    def step() -> None:
        try:
            time.sleep(60)
        except BaseException as error:
            raise RuntimeError(f"{error!r} [while running 'Write']") from error

    with TimeLimit(_SOON) as limit, pytest.raises(OutOfTime), limit.even_if_wrapped():
        step()


def test_an_error_before_the_time_is_over_stays_what_it_is() -> None:
    with TimeLimit(10) as limit, pytest.raises(RuntimeError), limit.even_if_wrapped():
        raise RuntimeError


def test_without_minutes_there_is_no_limit() -> None:
    with TimeLimit(None) as limit:
        assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)
        limit.check()


def test_beside_the_main_thread_a_limit_is_refused_in_words() -> None:
    def begin() -> None:
        with TimeLimit(1.0):
            pass

    with ThreadPoolExecutor() as pool, pytest.raises(UsageError, match=r"limits\.minutes"):
        pool.submit(begin).result()
