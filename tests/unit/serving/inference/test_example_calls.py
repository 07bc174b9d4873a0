"""Which runs of a graph answer a request for several signatures."""

import numpy as np
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from serving.inference.example_calls import REGRESS, ExampleTask, example_calls

EXAMPLES = np.array([b""], object)


class Graph:
    """Takes some choices of outputs."""

    def __init__(self, takes: bool) -> None:
        self.takes = takes
        self.asked: list[tuple[str, ...]] = []

    def takes_choice(self, fetches: tuple[str, ...]) -> bool:
        self.asked.append(fetches)
        return self.takes


def _task(name: str) -> ExampleTask:
    signature = meta_graph_pb2.SignatureDef()
    signature.inputs["inputs"].dtype = types_pb2.DT_STRING
    return ExampleTask(REGRESS, signature, f"{name}_in:0", {"outputs": f"{name}:0"})


def test_signatures_are_run_together_as_long_as_the_graph_takes_the_choice() -> None:
    tasks = [_task("b"), _task("a")]
    runs = []
    for graph in (Graph(takes=True), Graph(takes=False)):
        calls = example_calls(graph, tasks, EXAMPLES)  # type: ignore[arg-type]
        runs.append([(sorted(call.feeds), call.fetches) for call in calls])
        assert graph.asked == [("a:0", "b:0")]
    assert runs == [
        [(["a_in:0", "b_in:0"], ("a:0", "b:0"))],
        [(["b_in:0"], ("b:0",)), (["a_in:0"], ("a:0",))],
    ]


def test_a_single_signature_is_no_choice() -> None:
    graph = Graph(takes=False)
    (call,) = example_calls(graph, [_task("a")], EXAMPLES)  # type: ignore[arg-type]
    assert (call.fetches, graph.asked) == (("a:0",), [])
