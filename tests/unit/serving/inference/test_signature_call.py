"""Requests that are fitted to a signature."""

import grpc
import numpy as np
import pytest
from tensorflow.core.protobuf import meta_graph_pb2

from serving.errors import ServingError
from serving.inference.signature_call import checked_call

DENSE = np.zeros(1, np.float32)


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
        call = checked_call(None, signature, {"x": DENSE}, ["y"])  # type: ignore[arg-type]
        assert call.fetches == ("dense:0",)
