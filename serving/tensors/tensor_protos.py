"""NumPy arrays to and from `TensorProto`, as TensorFlow Serving writes and reads them.

`tf.make_ndarray` is no reader for a server: it believes the declared shape, and makes gigabytes of
a request of a hundred bytes. Here the shape is checked before anything is allocated.

Strings are arrays of dtype object that hold bytes.
"""

import itertools
import math
from typing import Any, Final, NamedTuple

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.errors import ServingError, invalid_argument

Tensors = dict[str, NDArray[Any]]
"""Alias in the signature to value; strings are arrays of dtype object that hold bytes."""

SignatureDef = Any
"""`tensorflow.core.protobuf.meta_graph_pb2.SignatureDef`, which carries no types."""

TensorProto = Any
"""`tensorflow.core.framework.tensor_pb2.TensorProto`, which carries no types."""


class _Kind(NamedTuple):
    """How the proto holds a type.

    Attributes:
        field: of the values, one by one.
        dtype: of the array.
        stored: of the numbers in the field, where they are not those of the array.
    """

    field: str
    dtype: np.dtype[Any]
    stored: np.dtype[Any] | None = None


def _kind(field: str, dtype: Any, stored: Any = None) -> _Kind:
    return _Kind(field, np.dtype(dtype), None if stored is None else np.dtype(stored))


_KINDS: Final = {
    types_pb2.DT_FLOAT: _kind("float_val", np.float32),
    types_pb2.DT_DOUBLE: _kind("double_val", np.float64),
    types_pb2.DT_INT8: _kind("int_val", np.int8),
    types_pb2.DT_INT16: _kind("int_val", np.int16),
    types_pb2.DT_INT32: _kind("int_val", np.int32),
    types_pb2.DT_UINT8: _kind("int_val", np.uint8),
    types_pb2.DT_UINT16: _kind("int_val", np.uint16),
    types_pb2.DT_UINT32: _kind("uint32_val", np.uint32),
    types_pb2.DT_INT64: _kind("int64_val", np.int64),
    types_pb2.DT_UINT64: _kind("uint64_val", np.uint64),
    types_pb2.DT_BOOL: _kind("bool_val", np.bool_),
    types_pb2.DT_HALF: _kind("half_val", np.float16, np.uint16),
    types_pb2.DT_BFLOAT16: _kind("half_val", tf.bfloat16.as_numpy_dtype, np.uint16),
    types_pb2.DT_COMPLEX64: _kind("scomplex_val", np.complex64, np.float32),
    types_pb2.DT_COMPLEX128: _kind("dcomplex_val", np.complex128, np.float64),
    types_pb2.DT_STRING: _kind("string_val", object),
}
_NUMBERS: Final = {kind.dtype: number for number, kind in _KINDS.items()}
_PACKED: Final = {"float_val": 4, "double_val": 8, "scomplex_val": 4, "dcomplex_val": 8}
"""Fields whose numbers lie in the message as they lie in an array, and the bytes of a number."""

_LENGTH_DELIMITED: Final = 2
_FEW: Final = 200
"""So many numbers are quickly written one by one."""

_MOST_DIMENSIONS: Final = 32
_COST_OF_NUMBER: Final = 8
_COST_OF_STRING: Final = 64
_VARINT_BITS: Final = 7
_VARINT_MASK: Final = 0x7F
_VARINT_GOES_ON: Final = 0x80
_LONGEST_VARINT: Final = 5
MOST_BYTES: Final = 2**31 - 1
"""What a proto can hold at most."""


def to_proto(array: NDArray[Any], as_content: bool = False) -> TensorProto:
    """Writes the values into the field of their type (`float_val` and so on).

    `tf.make_tensor_proto` would use `tensor_content`, which clients of TensorFlow Serving that read
    the typed fields do not expect.

    Args:
        array: the values.
        as_content: use `tensor_content` all the same, except for strings.

    Raises:
        ServingError: the dtype has no field here (quantised types).
    """
    number = _NUMBERS.get(array.dtype)
    if number is None:
        raise invalid_argument(f"Outputs of type {array.dtype} are not supported.")
    kind = _KINDS[number]
    proto = tensor_pb2.TensorProto(dtype=number)
    add_dimension = proto.tensor_shape.dim.add
    for size in array.shape:
        add_dimension(size=size)
    if as_content and kind.dtype != object:
        proto.tensor_content = array.tobytes()
    elif kind.field in _PACKED and (array.size > _FEW or kind.stored is not None):
        content = array.tobytes()
        if content:
            proto.MergeFromString(_packed_header(kind.field, len(content)) + content)
    else:
        numbers = array if kind.stored is None else np.ascontiguousarray(array).view(kind.stored)
        getattr(proto, kind.field).extend(numbers.ravel().tolist())
    return proto


def type_fault(array: NDArray[Any], expected: int) -> str:
    """What is wrong with an array's type; empty if nothing is, or none of ours is expected.

    Args:
        array: the values.
        expected: TensorFlow's number of the type.
    """
    got = _NUMBERS.get(array.dtype, types_pb2.DT_INVALID)
    if expected not in _KINDS or got == expected:
        return ""
    return f"has type {_type_name(got)}, expected {_type_name(expected)}"


def from_proto(proto: TensorProto, alias: str, most_bytes: int = MOST_BYTES) -> NDArray[Any]:
    """Reads a tensor in any of the forms that TensorFlow writes.

    A tensor may hold fewer values than its shape has: the last one stands for the rest, and without
    any all are zero, or empty.

    Args:
        proto: the tensor.
        alias: what the client calls it, for the message.
        most_bytes: see `cost`.

    Raises:
        ServingError: the values do not fit the declared shape and type, or are more than
            `most_bytes`.
    """
    try:
        kind = _KINDS.get(proto.dtype)
        if kind is None:
            raise ValueError(f"type {_type_name(proto.dtype)} is not supported")
        _require_one_field(proto, kind)
        shape = _shape(proto)
        _require_cheap(proto, kind, math.prod(max(size, 1) for size in shape), most_bytes)
        elements = math.prod(shape)
        values = _content(proto, kind, elements) if proto.tensor_content else _values(proto, kind)
        return _filled(values, elements).reshape(shape)
    except ValueError as error:
        raise _parsing_error(alias, str(error)) from error


def cost(array: NDArray[Any]) -> int:
    """What a tensor counts, in bytes: 8 a number at least; 64 a string, and its length."""
    if array.dtype != object:
        return array.size * max(_COST_OF_NUMBER, array.itemsize)
    return array.size * _COST_OF_STRING + sum(map(len, array.flat))


def _parsing_error(alias: str, reason: str) -> ServingError:
    return invalid_argument(f"tensor parsing error: {alias}: {reason}")


def _type_name(number: int) -> str:
    known = number in types_pb2.DataType.values()
    return types_pb2.DataType.Name(number) if known else str(number)


def _require_one_field(proto: TensorProto, kind: _Kind) -> None:
    """Refuses values in a field that is not looked at: zeros would stand in for them."""
    names = {field.name for field, _ in proto.ListFields()}
    extra = names - {"dtype", "tensor_shape", "version_number", "tensor_content", kind.field}
    if extra:
        raise ValueError(f"its values are in {min(extra)}, expected {kind.field}")
    if {"tensor_content", kind.field} <= names:
        raise ValueError(f"its values are in both tensor_content and {kind.field}")


def _shape(proto: TensorProto) -> tuple[int, ...]:
    declared = proto.tensor_shape
    if declared.unknown_rank:
        raise ValueError("its rank is unknown")
    if len(declared.dim) > _MOST_DIMENSIONS:
        raise ValueError(f"it has {len(declared.dim)} dimensions, more than {_MOST_DIMENSIONS}")
    shape = tuple(dimension.size for dimension in declared.dim)
    if any(size < 0 for size in shape):
        raise ValueError(f"its shape {list(shape)} has a negative size")
    return shape


def _require_cheap(proto: TensorProto, kind: _Kind, elements: int, most_bytes: int) -> None:
    if kind.dtype == object:
        strings = proto.string_val
        repeated = max(0, elements - len(strings)) * len(strings[-1]) if strings else 0
        sent = len(proto.tensor_content) + sum(map(len, strings))
        total = elements * _COST_OF_STRING + repeated + sent
    else:
        total = elements * max(_COST_OF_NUMBER, kind.dtype.itemsize)
    if total > most_bytes:
        raise ValueError(
            f"{elements} elements take {total} bytes, more than the {most_bytes} that are left to"
            " the request"
        )


def _content(proto: TensorProto, kind: _Kind, elements: int) -> NDArray[Any]:
    content = proto.tensor_content
    if kind.dtype == object:
        return _objects(_string_list(content, elements))
    if len(content) != elements * kind.dtype.itemsize:
        raise ValueError(
            f"tensor_content has {len(content)} bytes, expected {elements * kind.dtype.itemsize}"
        )
    return np.frombuffer(content, kind.dtype)


def _string_list(content: bytes, elements: int) -> list[bytes]:
    """Reads TensorFlow's list of strings: their lengths as varints, then all of their bytes."""
    lengths, position = [], 0
    for _ in range(elements):
        length = 0
        for place in range(_LONGEST_VARINT):
            if position == len(content):
                raise ValueError("tensor_content ends within the lengths of its strings")
            byte, position = content[position], position + 1
            length |= (byte & _VARINT_MASK) << (_VARINT_BITS * place)
            if not byte & _VARINT_GOES_ON:
                break
        lengths.append(length)
    if position + sum(lengths) != len(content):
        raise ValueError("tensor_content has not as many bytes as its strings")
    ends = np.cumsum([position, *lengths]).tolist()
    return [content[begin:end] for begin, end in itertools.pairwise(ends)]


def _values(proto: TensorProto, kind: _Kind) -> NDArray[Any]:
    field = getattr(proto, kind.field)
    if kind.dtype == object:
        return _objects(list(field))
    if kind.field in _PACKED:
        numbers = _packed_numbers(proto, kind)
        if numbers.nbytes % kind.dtype.itemsize:
            raise ValueError(f"{kind.field} has an odd number of values")
        return numbers.view(kind.dtype)
    stored = kind.stored or kind.dtype
    try:
        return np.fromiter(field, stored, count=len(field)).view(kind.dtype)
    except OverflowError as error:
        raise ValueError(f"{kind.field} has a value beyond the range of {stored}") from error


def _packed_numbers(proto: TensorProto, kind: _Kind) -> NDArray[Any]:
    """The numbers of a packed field, without a Python object for each.

    The field has the highest number of those that are set, so that it ends the message.
    """
    proto.DiscardUnknownFields()
    message = proto.SerializeToString()
    size = len(getattr(proto, kind.field)) * _PACKED[kind.field]
    return np.frombuffer(message, kind.stored or kind.dtype, offset=len(message) - size)


def _packed_header(field: str, size: int) -> bytes:
    number = tensor_pb2.TensorProto.DESCRIPTOR.fields_by_name[field].number
    return _varint(number << 3 | _LENGTH_DELIMITED) + _varint(size)


def _varint(number: int) -> bytes:
    groups = bytearray()
    while number > _VARINT_MASK:
        groups.append(number & _VARINT_MASK | _VARINT_GOES_ON)
        number >>= _VARINT_BITS
    groups.append(number)
    return bytes(groups)


def _objects(values: list[bytes]) -> NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


def _filled(values: NDArray[Any], elements: int) -> NDArray[Any]:
    """Repeats the last value up to the number of elements."""
    if len(values) > elements:
        raise ValueError(f"{len(values)} values for {elements} elements")
    if len(values) == elements:
        return values
    filler = values[-1] if len(values) else (b"" if values.dtype == object else 0)
    filled = np.full(elements, filler, dtype=values.dtype)
    filled[: len(values)] = values
    return filled
