"""Tensor protos: what TensorFlow writes is read, and what is hostile costs nothing."""

import tracemalloc
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, strategies as st
from numpy.typing import NDArray
from strange_protos import protos
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.errors import ServingError
from serving.tensors.tensor_protos import cost, from_proto, to_proto

DTYPES = [
    np.float16, np.float32, np.float64, np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16,
    np.uint32, np.uint64, np.bool_, np.complex64, np.complex128, tf.bfloat16.as_numpy_dtype,
]  # fmt: skip
MOST = 2**20


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (1,), (2, 3), (3, 0, 2)])
def test_numbers_survive_in_every_form(dtype: type, shape: tuple[int, ...]) -> None:
    size = int(np.prod(shape))
    array: NDArray[Any] = np.arange(1, 1 + size).reshape(shape).astype(dtype)
    for proto in (to_proto(array), to_proto(array, as_content=True), tf.make_tensor_proto(array)):
        read = from_proto(proto, "x", MOST)
        assert (read.dtype, read.shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(read, array)
    np.testing.assert_array_equal(tf.make_ndarray(to_proto(array)), array)


def test_strings_survive_in_every_form() -> None:
    array = np.array([[b"", b"a" * 300], [b"\0\xff", b"b"]], dtype=object)
    packed = tf.io.parse_tensor(tf.io.serialize_tensor(tf.constant(array)), tf.string)
    content = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING)
    content.tensor_shape.CopyFrom(to_proto(array).tensor_shape)
    content.tensor_content = b"\0\xac\2\2\1" + b"a" * 300 + b"\0\xffb"
    for proto in (to_proto(array), tf.make_tensor_proto(packed.numpy()), content):
        np.testing.assert_array_equal(from_proto(proto, "x", MOST), array)


def test_the_last_value_stands_for_the_rest() -> None:
    proto = tensor_pb2.TensorProto(dtype=types_pb2.DT_INT32, int_val=[1, 2])
    proto.tensor_shape.dim.add(size=4)
    np.testing.assert_array_equal(from_proto(proto, "x"), [1, 2, 2, 2])
    del proto.int_val[:]
    np.testing.assert_array_equal(from_proto(proto, "x"), [0, 0, 0, 0])
    empty = tensor_pb2.TensorProto(dtype=types_pb2.DT_STRING)
    assert from_proto(empty, "x").item() == b""


def _hostile(dtype: int, *sizes: int, **fields: object) -> tensor_pb2.TensorProto:
    proto = tensor_pb2.TensorProto(dtype=dtype, **fields)
    for size in sizes:
        proto.tensor_shape.dim.add(size=size)
    return proto


UNKNOWN_RANK = tensor_pb2.TensorProto(dtype=types_pb2.DT_FLOAT)
UNKNOWN_RANK.tensor_shape.unknown_rank = True
LONG = b"x" * 1000


@pytest.mark.parametrize(
    ("proto", "reason"),
    [
        (_hostile(types_pb2.DT_STRING, 50_000_000, string_val=[b"x"]), "more than the"),
        (_hostile(types_pb2.DT_STRING, 5000, string_val=[LONG]), "more than the"),
        (_hostile(types_pb2.DT_FLOAT, 1 << 40, float_val=[1]), "more than the"),
        (_hostile(types_pb2.DT_FLOAT, 1 << 62, 1 << 62), "more than the"),
        (_hostile(types_pb2.DT_FLOAT, 0, 1 << 62, 1 << 62), "more than the"),
        (_hostile(types_pb2.DT_UINT8, 1 << 40, tensor_content=b"x"), "more than the"),
        (_hostile(types_pb2.DT_FLOAT, -1), "negative size"),
        (_hostile(types_pb2.DT_FLOAT, *[1] * 255), "255 dimensions"),
        (UNKNOWN_RANK, "rank is unknown"),
        (_hostile(types_pb2.DT_FLOAT, 2, tensor_content=b"1234567"), "has 7 bytes, expected 8"),
        (_hostile(types_pb2.DT_FLOAT, 1, int_val=[1]), "in int_val, expected float_val"),
        (_hostile(types_pb2.DT_FLOAT, 1, float_val=[1], tensor_content=b"1234"), "in both"),
        (_hostile(types_pb2.DT_FLOAT, 1, float_val=[1, 2]), "2 values for 1 elements"),
        (_hostile(types_pb2.DT_UINT8, 1, int_val=[256]), "beyond the range of uint8"),
        (_hostile(types_pb2.DT_HALF, 1, half_val=[1 << 20]), "beyond the range of uint16"),
        (_hostile(types_pb2.DT_COMPLEX64, 2, scomplex_val=[1, 2, 3]), "odd number of values"),
        (_hostile(types_pb2.DT_STRING, 9, tensor_content=b"\1"), "ends within the lengths"),
        (_hostile(types_pb2.DT_STRING, 1, tensor_content=b"\5a"), "not as many bytes"),
        (_hostile(types_pb2.DT_RESOURCE, 1), "type DT_RESOURCE is not supported"),
        (_hostile(types_pb2.DT_VARIANT, 1), "type DT_VARIANT is not supported"),
        (_hostile(types_pb2.DT_QINT8, 1, int_val=[1]), "type DT_QINT8 is not supported"),
        (_hostile(types_pb2.DT_FLOAT_REF, 1), "type DT_FLOAT_REF is not supported"),
        (_hostile(types_pb2.DT_INVALID, 1), "type DT_INVALID is not supported"),
        (_hostile(99, 1), "type 99 is not supported"),
    ],
)
def test_what_cannot_be_is_refused_in_words(proto: tensor_pb2.TensorProto, reason: str) -> None:
    with pytest.raises(ServingError, match=rf"^tensor parsing error: image: .*{reason}") as caught:
        from_proto(proto, "image", MOST)
    assert caught.value.code.name == "INVALID_ARGUMENT"


def test_repeated_strings_count_by_their_lengths() -> None:
    array = from_proto(_hostile(types_pb2.DT_STRING, 3, string_val=[LONG]), "x", MOST)
    assert cost(array) == 3 * (1000 + 64)
    assert cost(np.zeros(10, np.uint8)) == 80


@given(protos(), st.sampled_from([0, 100, MOST]))
def test_any_proto_is_read_or_refused_at_little_cost(
    proto: tensor_pb2.TensorProto, most: int
) -> None:
    tracemalloc.start()
    try:
        array = from_proto(proto, "x", most)
    except ServingError as error:
        refusal = error.code
    else:
        refusal = grpc.StatusCode.INVALID_ARGUMENT
        assert cost(array) <= most
        assert array.shape == tuple(size.size for size in proto.tensor_shape.dim)
        np.testing.assert_array_equal(from_proto(to_proto(array), "x"), array)
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert refusal is grpc.StatusCode.INVALID_ARGUMENT
    assert peak < 2 * most + 2**20
