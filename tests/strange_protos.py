"""Tensors and requests of gRPC that mostly make no sense."""

from hypothesis import strategies as st
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import predict_pb2

FIELDS = [
    ("float_val", st.floats(width=32)),
    ("double_val", st.floats()),
    ("int_val", st.integers(-(2**31), 2**31 - 1)),
    ("int64_val", st.integers(-(2**63), 2**63 - 1)),
    ("uint32_val", st.integers(0, 2**32 - 1)),
    ("uint64_val", st.integers(0, 2**64 - 1)),
    ("half_val", st.integers(-(2**31), 2**31 - 1)),
    ("bool_val", st.booleans()),
    ("string_val", st.binary(max_size=40)),
    ("scomplex_val", st.floats(width=32)),
    ("dcomplex_val", st.floats()),
]


@st.composite
def protos(draw: st.DrawFn) -> tensor_pb2.TensorProto:
    """Tensors of any type with any shape and values, that mostly do not fit each other."""
    dtype = draw(st.sampled_from(types_pb2.DataType.values()) | st.integers(0, 200))
    proto = tensor_pb2.TensorProto(dtype=dtype)
    proto.tensor_shape.unknown_rank = draw(st.integers(0, 20)) == 0
    small = st.integers(-2, 5)
    for size in draw(st.lists(small | small | st.integers(-(2**63), 2**63 - 1), max_size=5)):
        proto.tensor_shape.dim.add(size=size)
    name, values = draw(st.sampled_from(FIELDS))
    getattr(proto, name).extend(draw(st.lists(values, max_size=8)))
    if draw(st.integers(0, 5)) == 0:
        proto.tensor_content = draw(st.binary(max_size=64))
    return proto


@st.composite
def predict_requests(draw: st.DrawFn) -> predict_pb2.PredictRequest:
    """Requests to the model `m` with the input `image_bytes`, or nearly."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = draw(st.sampled_from(["m", "m", "m", "", "é", "../m"]))
    request.model_spec.signature_name = draw(
        st.sampled_from(["", "", "", "none", "serving_default"])
    )
    if draw(st.integers(0, 9)) == 0:
        request.model_spec.version.value = draw(st.integers(-(2**63), 2**63 - 1))
    for alias in draw(st.lists(st.sampled_from(["image_bytes", "image_bytes", "x"]), max_size=2)):
        request.inputs[alias].CopyFrom(draw(protos()))
    request.output_filter.extend(
        draw(st.lists(st.sampled_from(["probabilities", "label", "none"]), max_size=2))
    )
    return request
