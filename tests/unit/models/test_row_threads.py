"""Tests of work that is done on a block of rows for each thread."""

import os
import threading

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from models.head.softmax_problem import SoftmaxProblem
from models.row_threads import each_block

ROWS = np.random.default_rng(0).standard_normal((5000, 30), np.float32)


def _seen(rows: np.ndarray) -> tuple[list[slice], set[int], set[int]]:
    """The blocks in their order, the threads that had them, and the threads of a product there."""
    threads: set[int] = set()
    products: set[int] = set()

    def note(block: slice) -> slice:
        threads.add(threading.get_ident())
        products.update(
            each["num_threads"] for each in threadpool_info() if each["user_api"] == "blas"
        )
        return block

    with each_block(rows) as each:
        blocks = list(each(note))
    return blocks, threads, products


def test_every_row_is_in_one_block_in_order_and_products_take_one_thread() -> None:
    blocks, _, products = _seen(ROWS)
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.concatenate([ROWS[block] for block in blocks]), ROWS)
    assert products == {1}


def test_few_rows_stay_in_the_thread_that_asks() -> None:
    assert _seen(ROWS[:100])[1] == {threading.get_ident()}


def test_a_solution_does_not_depend_on_the_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    problem = SoftmaxProblem(ROWS, (ROWS[:, 0] > 0).astype(int), np.ones(2, np.float32), None)
    found = []
    for cores in (1, 4):
        monkeypatch.setattr(os, "sched_getaffinity", lambda _, cores=cores: set(range(cores)))
        assert (threading.get_ident() in _seen(ROWS)[1]) == (cores == 1)
        found.append(problem.solve(1e-3, problem.origin))
    assert np.abs(found[0]).max() > 0.1
    np.testing.assert_array_equal(found[0], found[1])
