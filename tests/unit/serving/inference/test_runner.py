"""Requests that wait, join and run: on a graph of NumPy that the test lets go step by step."""

import concurrent.futures
import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

import grpc
import numpy as np
import pytest
from numpy.typing import NDArray

from serving.errors import ServingError
from serving.inference.batching_parameters import BatchingParameters
from serving.inference.deadline import NEVER, Deadline
from serving.inference.runner import Runner
from serving.inference.signature_call import SignatureCall
from serving.limits import Limits
from serving.tensors.tensor_protos import Tensors

WAIT = 60


class Graph:
    """Doubles "x", and sums it over all rows as "total"; a negative number is an error."""

    def __init__(self, output: str = "y") -> None:
        self.output = output
        self.begun: queue.Queue[NDArray[Any]] = queue.Queue()
        self.go = threading.Semaphore(0)

    def run(self, feeds: Mapping[str, NDArray[Any]], fetches: Sequence[str]) -> list[NDArray[Any]]:
        x = feeds["x:0"]
        self.begun.put(x)
        assert self.go.acquire(timeout=WAIT)
        if x.dtype != object and (x < 0).any():
            raise ServingError(grpc.StatusCode.INVALID_ARGUMENT, f"negative among {len(x)}")
        values = {"y": x * 2, "total": np.asarray(x.sum())}
        return [values[name] for name in fetches]

    def call(self, x: Any) -> SignatureCall:
        names = (self.output,)
        return SignatureCall(self, {"x:0": np.asarray(x)}, names, names)  # type: ignore[arg-type]

    def sizes(self, runs: int) -> list[int]:
        """Lets `runs` runs go, and returns how many rows each had."""
        for _ in range(runs):
            self.go.release()
        return [len(self.begun.get(timeout=WAIT)) for _ in range(runs)]


class Queue:
    """A runner whose single thread is held up by a request, so that others pile up."""

    def __init__(self, limits: Limits | None = None, **parameters: Any) -> None:
        self.runner = Runner(limits, BatchingParameters(num_batch_threads=1, **parameters))
        self.graph = Graph()
        self._holder = Graph()
        self.held = self.runner.submit_call(self._holder.call([1]))
        self._holder.begun.get(timeout=WAIT)

    def ask(self, x: Any, deadline: Deadline = NEVER) -> "Future[Tensors]":
        return self.runner.submit_call(self.graph.call(x), deadline)

    def let_go(self) -> None:
        self._holder.go.release()


@pytest.fixture
def made() -> Iterator[list[Queue]]:
    queues: list[Queue] = []
    yield queues
    for one in queues:
        one.let_go()
        for _ in range(100):
            one.graph.go.release()
        one.runner.close()


def _queue(made: list[Queue], limits: Limits | None = None, **parameters: Any) -> Queue:
    made.append(Queue(limits, **parameters))
    return made[-1]


def _y(future: "Future[Tensors]") -> list[float]:
    return future.result(timeout=WAIT)["y"].tolist()


def _code(future: "Future[Tensors]") -> str:
    error = future.exception(timeout=WAIT)
    assert isinstance(error, ServingError)
    return error.code.name


def test_what_waits_is_joined_and_each_gets_its_own_answer(made: list[Queue]) -> None:
    waiting = _queue(made)
    futures = [waiting.ask([n, n + 1]) for n in range(3)]
    waiting.let_go()
    assert waiting.graph.sizes(1) == [6]
    assert [_y(future) for future in futures] == [[0, 2], [2, 4], [4, 6]]


def test_without_batching_each_request_runs_once_by_itself() -> None:
    graph, runner = Graph(), Runner()
    begun = []
    futures = []
    for number in range(2):
        futures.append(runner.submit_call(graph.call([number, number])))
        begun.append(graph.begun.get(timeout=WAIT).tolist())
    assert begun == [[0, 0], [1, 1]]
    for _ in range(100):
        graph.go.release()
    assert [_y(future) for future in futures] == [[0, 0], [2, 2]]
    runner.close()


def test_a_bad_request_fails_alone(made: list[Queue]) -> None:
    waiting = _queue(made)
    futures = [waiting.ask([n]) for n in (1, -2, 3, 4)]
    waiting.let_go()
    assert waiting.graph.sizes(5) == [4, 2, 1, 1, 2]
    assert [_y(futures[n]) for n in (0, 2, 3)] == [[2], [6], [8]]
    with pytest.raises(ServingError, match="negative among 1"):
        futures[1].result(timeout=WAIT)


@pytest.mark.parametrize("other", [[[1, 2]], [1.5]])
def test_other_shapes_and_types_run_by_themselves(made: list[Queue], other: Any) -> None:
    waiting = _queue(made)
    futures = [waiting.ask([1]), waiting.ask(other), waiting.ask([2])]
    waiting.let_go()
    assert sorted(waiting.graph.sizes(2)) == [1, 2]
    assert [_y(future) for future in futures] == [[2], (np.asarray(other) * 2).tolist(), [4]]


def test_inputs_without_rows_and_outputs_without_rows_run_alone(made: list[Queue]) -> None:
    waiting = _queue(made)
    scalar = waiting.ask(3)
    waiting.let_go()
    waiting.graph.go.release()
    assert scalar.result(timeout=WAIT)["y"].item() == 6
    total = Graph(output="total")
    hold = _queue(made)
    futures = [hold.runner.submit_call(total.call(np.arange(n))) for n in (2, 3)]
    hold.let_go()
    assert total.sizes(3) == [5, 2, 3]
    assert [future.result(timeout=WAIT)["total"].item() for future in futures] == [1, 3]


def test_batches_are_filled_up_to_an_allowed_size(made: list[Queue]) -> None:
    waiting = _queue(made, allowed_batch_sizes=(2, 4), max_execution_batch_size=4)
    futures = [waiting.ask([7, 8]), waiting.ask([9])]
    waiting.let_go()
    waiting.graph.go.release()
    np.testing.assert_array_equal(waiting.graph.begun.get(timeout=WAIT), [7, 8, 9, 7])
    assert [_y(future) for future in futures] == [[14, 16], [18]]


def test_variable_lengths_are_filled_with_the_first_element(made: list[Queue]) -> None:
    waiting = _queue(made, pad_variable_length_inputs=True)
    waiting.ask([[1, 2, 3]])
    waiting.ask([[4]])
    waiting.let_go()
    waiting.graph.go.release()
    np.testing.assert_array_equal(waiting.graph.begun.get(timeout=WAIT), [[1, 2, 3], [4, 4, 4]])


def test_a_large_request_runs_in_parts_and_fills_batches(made: list[Queue]) -> None:
    waiting = _queue(made, max_batch_size=8, max_execution_batch_size=4)
    small, large = waiting.ask([1]), waiting.ask(np.arange(8))
    waiting.let_go()
    assert waiting.graph.sizes(3) == [1, 4, 4]
    assert (_y(small), _y(large)) == ([2], [2 * n for n in range(8)])


def test_too_large_and_too_many_are_refused(made: list[Queue]) -> None:
    waiting = _queue(
        made, max_batch_size=4, max_enqueued_batches=2, enable_large_batch_splitting=False
    )
    with pytest.raises(ServingError) as caught:
        waiting.ask(np.ones(5))
    assert caught.value.message == "Task size 5 is larger than maximum input batch size 4"
    futures = [waiting.ask(np.ones(3)) for _ in range(2)]
    with pytest.raises(ServingError, match="task size is 3 but scheduling capacity is only 1") as c:
        waiting.ask(np.ones(3))
    assert c.value.code is grpc.StatusCode.UNAVAILABLE
    waiting.let_go()
    waiting.graph.sizes(2)
    assert [len(_y(future)) for future in futures] == [3, 3]


def test_what_nobody_waits_for_is_not_run(made: list[Queue]) -> None:
    waiting = _queue(made)
    cancelled, late, good = waiting.ask([1]), waiting.ask([2], Deadline.after(0)), waiting.ask([3])
    assert cancelled.cancel()
    waiting.let_go()
    assert waiting.graph.sizes(1) == [1]
    assert _y(good) == [6]
    assert _code(late) == "DEADLINE_EXCEEDED"


def test_a_large_request_whose_client_left_stops_half_way(made: list[Queue]) -> None:
    waiting = _queue(made, max_batch_size=10, max_execution_batch_size=2)
    large = waiting.ask(np.arange(10))
    waiting.let_go()
    assert len(waiting.graph.begun.get(timeout=WAIT)) == 2
    assert large.cancel()
    waiting.graph.go.release()
    after = waiting.ask([1])
    waiting.graph.go.release()
    assert _y(after) == [2]
    assert waiting.graph.begun.qsize() == 1


def test_who_left_takes_no_room(made: list[Queue]) -> None:
    waiting = _queue(made, max_batch_size=2, max_enqueued_batches=1)
    for _ in range(5):
        assert waiting.ask([1, 2]).cancel()
    future = waiting.ask([3, 4])
    waiting.let_go()
    assert waiting.graph.sizes(1) == [2]
    assert _y(future) == [6, 8]


def test_a_short_request_does_not_wait_for_long_ones(made: list[Queue]) -> None:
    waiting, other = _queue(made, max_execution_batch_size=4), Graph()
    waiting.let_go()
    long = waiting.ask(np.arange(12))
    assert len(waiting.graph.begun.get(timeout=WAIT)) == 4
    short = waiting.runner.submit_call(other.call([7]))
    assert other.sizes(1) == [1]
    assert _y(short) == [14]
    assert not long.done()
    waiting.graph.go.release()
    assert waiting.graph.sizes(2) == [4, 4]
    assert _y(long) == [2 * n for n in range(12)]


def test_of_long_requests_each_has_a_part_done_in_turn(made: list[Queue]) -> None:
    waiting, before = _queue(made, max_execution_batch_size=9), Graph()
    held = waiting.runner.submit_call(before.call(np.arange(9)))
    before.begun.get(timeout=WAIT)
    first, second = waiting.ask(np.arange(27)), waiting.ask(np.arange(9))
    before.go.release()
    assert len(_y(held)) == 9
    assert waiting.graph.sizes(2) == [9, 9]
    assert len(_y(second)) == 9
    assert not first.done()
    assert waiting.graph.sizes(2) == [9, 9]
    assert len(_y(first)) == 27


def test_a_warm_up_runs_among_the_long_ones(made: list[Queue]) -> None:
    waiting = _queue(made)
    warm_up = waiting.runner.submit_call(waiting.graph.call([1]), aside=True)
    assert waiting.graph.sizes(1) == [1]
    assert _y(warm_up) == [2]
    assert not waiting.held.done()


def test_requests_and_their_bytes_are_limited(made: list[Queue]) -> None:
    waiting = _queue(made, Limits(concurrent_requests=3, waiting_bytes=100, instances=2))
    waiting.ask([1])
    with pytest.raises(ServingError, match="limit of 100 bytes of requests") as caught:
        waiting.ask(np.ones(12))
    assert caught.value.code is grpc.StatusCode.RESOURCE_EXHAUSTED
    gone = waiting.ask([2])
    with pytest.raises(ServingError, match="limit of 3 requests"):
        waiting.ask([3])
    gone.cancel()
    waiting.ask([4])
    with pytest.raises(ServingError, match="has 3 strings, more than the 2"):
        waiting.ask(np.array([b"a"] * 3, dtype=object))


def test_without_batching_each_runs_by_itself() -> None:
    runner, graph = Runner(), Graph()
    futures = [runner.submit_call(graph.call([n])) for n in range(5)]
    assert graph.sizes(5) == [1] * 5
    assert [_y(future) for future in futures] == [[2 * n] for n in range(5)]
    runner.close()
    with pytest.raises(ServingError, match="shutting down"):
        runner.submit_call(graph.call([1]))


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("micros", [10**9, 2**63 - 1])
def test_the_end_runs_what_waits_for_company(micros: int) -> None:
    runner, graph = Runner(None, BatchingParameters(batch_timeout_micros=micros)), Graph()
    future = runner.submit_call(graph.call([1]))
    with pytest.raises(concurrent.futures.TimeoutError):
        future.result(0.1)
    graph.go.release()
    runner.close()
    assert _y(future) == [2]
