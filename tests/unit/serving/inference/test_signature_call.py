"""Requests that are fitted to a signature."""

import grpc
import numpy as np
import pytest
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf import meta_graph_pb2

from serving.errors import ServingError
from serving.inference.signature_call import checked_call

DENSE = np.zeros(1, np.float32)


class Graph:
    """Takes some choices of outputs."""

    def __init__(self, takes: bool = True) -> None:
        self.takes = takes
        self.asked: list[tuple[str, ...]] = []

    def takes_choice(self, fetches: tuple[str, ...]) -> bool:
        self.asked.append(fetches)
        return self.takes


@pytest.mark.parametrize(("inputs", "outputs"), [("s", "y"), ("x", "s"), ("x", "r")])
def test_tensors_without_a_name_are_told(inputs: str, outputs: str) -> None:
    signature = meta_graph_pb2.SignatureDef()
    for infos in (signature.inputs, signature.outputs):
        infos["s"].coo_sparse.values_tensor_name = "s/values:0"
        infos["r"].composite_tensor.SetInParent()
        infos["x"].name = infos["y"].name = "dense:0"
    for infos, kept in ((signature.inputs, inputs), (signature.outputs, outputs)):
        for alias in set(infos) - {kept, "y" if infos is signature.outputs else kept}:
            del infos[alias]
    with pytest.raises(ServingError, match=r"(input|output) [rs] is a sparse or ragged") as error:
        checked_call(None, signature, {inputs: DENSE})  # type: ignore[arg-type]
    assert error.value.code is grpc.StatusCode.UNIMPLEMENTED
    if inputs == "x":
        call = checked_call(Graph(), signature, {"x": DENSE}, ["y"])  # type: ignore[arg-type]
        assert call.fetches == ("dense:0",)


def test_an_input_of_another_type_is_told_by_its_name() -> None:
    signature = meta_graph_pb2.SignatureDef()
    signature.inputs["x"].name = signature.outputs["y"].name = "dense:0"
    assert checked_call(None, signature, {"x": DENSE}).feeds  # type: ignore[arg-type]
    for dtype in (types_pb2.DT_FLOAT_REF, types_pb2.DT_QUINT8, types_pb2.DT_FLOAT):
        signature.inputs["x"].dtype = dtype
        assert checked_call(None, signature, {"x": DENSE}).feeds  # type: ignore[arg-type]
    words = "The input x has type DT_INT64, expected DT_FLOAT"
    with pytest.raises(ServingError, match=words) as error:
        checked_call(None, signature, {"x": np.zeros(1, np.int64)})  # type: ignore[arg-type]
    assert error.value.code is grpc.StatusCode.INVALID_ARGUMENT


def test_a_choice_of_outputs_that_is_not_taken_comes_out_of_all() -> None:
    signature = meta_graph_pb2.SignatureDef()
    signature.inputs["x"].name = "x:0"
    for alias in "abc":
        signature.outputs[alias].name = f"{alias}:0"
    signature.outputs["sparse"].composite_tensor.SetInParent()
    fetches = []
    for graph in (Graph(), Graph(takes=False)):
        call = checked_call(graph, signature, {"x": DENSE}, ["c", "a"])  # type: ignore[arg-type]
        fetches.append(call.fetches)
        assert graph.asked == [("a:0", "c:0")]
    assert fetches == [("a:0", "c:0"), ("a:0", "b:0", "c:0")]
