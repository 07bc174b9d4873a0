"""Tests of the threads that are left to a fit."""

import numpy as np
import pytest
import scipy.optimize
from threadpoolctl import threadpool_info

from models.blas_threads import few_threads
from models.head import linear_head, softmax_problem


def _threads() -> list[int]:
    return [each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"]


def test_a_small_fit_takes_one_thread_and_gives_the_others_back() -> None:
    before = _threads()
    with few_threads(1000):
        assert set(_threads()) == {1}
    assert _threads() == before


def test_a_large_one_keeps_them_for_its_products() -> None:
    before = _threads()
    with few_threads(10**9):
        assert max(_threads()) == max(before)


def test_a_head_is_fitted_so(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[int] = []

    def minimize(*arguments: object, **options: object) -> object:
        seen.extend(_threads())
        return scipy.optimize.minimize(*arguments, **options)

    monkeypatch.setattr(softmax_problem, "minimize", minimize)
    features = np.random.default_rng(0).standard_normal((40, 3), np.float32)
    linear_head.fit_at(0.01, features, np.arange(40) % 2, np.ones(2, np.float32))
    assert set(seen) == {1}
