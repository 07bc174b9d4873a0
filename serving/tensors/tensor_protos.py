"""NumPy arrays to and from `TensorProto`, as TensorFlow Serving writes them.

Strings are arrays of dtype object that hold bytes.
"""

from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.framework import tensor_pb2

from serving.errors import invalid_argument

Tensors = dict[str, NDArray[Any]]
"""Alias in the signature to value; strings are arrays of dtype object that hold bytes."""

SignatureDef = Any
"""`tensorflow.core.protobuf.meta_graph_pb2.SignatureDef`, which carries no types."""

TensorProto = Any
"""`tensorflow.core.framework.tensor_pb2.TensorProto`, which carries no types."""

_FIELDS: Final = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.int8: "int_val",
    tf.int16: "int_val",
    tf.int32: "int_val",
    tf.uint8: "int_val",
    tf.uint16: "int_val",
    tf.uint32: "uint32_val",
    tf.int64: "int64_val",
    tf.uint64: "uint64_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
}
_HALVES: Final = (tf.float16, tf.bfloat16)


def to_proto(array: NDArray[Any]) -> TensorProto:
    """Writes the values into the field of their type (`float_val` and so on).

    `tf.make_tensor_proto` would use `tensor_content`, which clients of TensorFlow Serving that read
    the typed fields do not expect.

    Raises:
        ServingError: the dtype has no field here (complex and quantised types).
    """
    dtype = tf.as_dtype(array.dtype)
    proto = tensor_pb2.TensorProto(dtype=dtype.as_datatype_enum)
    for size in array.shape:
        proto.tensor_shape.dim.add(size=size)
    if dtype in _HALVES:
        proto.half_val.extend(array.view(np.uint16).ravel().tolist())
    elif dtype in _FIELDS:
        getattr(proto, _FIELDS[dtype]).extend(array.ravel().tolist())
    else:
        raise invalid_argument(f"Outputs of type {dtype.name} are not supported.")
    return proto


def from_proto(proto: TensorProto, alias: str) -> NDArray[Any]:
    """Reads a tensor in any of the forms that TensorFlow writes.

    Raises:
        ServingError: the values do not fit the declared shape and type.
    """
    try:
        array: NDArray[Any] = tf.make_ndarray(proto)
    except (TypeError, ValueError, KeyError) as error:
        raise invalid_argument(f"tensor parsing error: {alias}") from error
    return array
