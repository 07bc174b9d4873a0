"""JSON of a predict request to NumPy arrays, with TensorFlow Serving's rules.

The formats are those of https://www.tensorflow.org/tfx/serving/api_rest#predict_api: "row"
(`instances`) and "column" (`inputs`).
"""

import base64
import binascii
import itertools
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from serving.errors import ServingError, invalid_argument
from serving.tensors.halving import first_failing
from serving.tensors.json_document import short_text
from serving.tensors.tensor_protos import SignatureDef, Tensors

_B64: Final = "b64"
_MOST_DIMENSIONS: Final = 32
_JSON_TYPES: Final = {
    dict: "Object",
    list: "Array",
    str: "String",
    int: "Number",
    float: "Number",
    bool: "Boolean",
    type(None): "Null",
}


def inputs_from_json(document: Mapping[str, Any], signature: SignatureDef) -> tuple[Tensors, bool]:
    """Reads the input tensors of a predict request.

    Args:
        document: the parsed body.
        signature: whose inputs are filled.

    Returns:
        The inputs by alias, and whether the request has the row format.

    Raises:
        ServingError: the body does not fit the signature.
    """
    dtypes = {alias: tf.as_dtype(info.dtype) for alias, info in signature.inputs.items()}
    if not dtypes:
        raise invalid_argument("The signature has no inputs.")
    if "instances" in document and "inputs" in document:
        text = "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
        raise invalid_argument(text)
    if "instances" in document:
        instances = document["instances"]
        if not isinstance(instances, list):
            raise invalid_argument("Excepting 'instances' to be an list/array")
        if not instances:
            raise invalid_argument("No values in 'instances' array")
        return _from_rows(instances, dtypes), True
    if "inputs" in document:
        return _from_columns(document["inputs"], dtypes), False
    raise invalid_argument("Missing 'inputs' or 'instances' key")


def as_bytes(value: Any) -> bytes:
    """The bytes of a JSON string, or of `{"b64": "…"}`.

    Raises:
        ServingError: it is neither.
    """
    if isinstance(value, str):
        return value.encode("utf-8")
    if not isinstance(value, dict):
        raise _type_error(value, tf.string)
    if not is_b64(value):
        message = f"JSON Value: {short_text(value)} not formatted correctly for base64 data"
        raise invalid_argument(message)
    return _decoded(value[_B64])


def is_b64(value: Any) -> bool:
    """Whether `value` is bytes in base64: an object with the one key `b64`."""
    return (
        isinstance(value, dict)
        and len(value) == 1
        and _B64 in value
        and isinstance(value[_B64], str)
    )


def _from_rows(instances: list[Any], dtypes: Mapping[str, tf.DType]) -> Tensors:
    named = _is_object(instances[0])
    if not named and len(dtypes) > 1:
        raise invalid_argument(
            "instances is a plain list, but expecting list of objects as multiple input tensors"
            " required as per tensorinfo_map"
        )
    _require_alike(instances, named)
    if not named:
        return {alias: _stacked(instances, dtype) for alias, dtype in dtypes.items()}
    keys = set(dtypes)
    for position, instance in enumerate(instances):
        if instance.keys() != keys:
            raise invalid_argument(
                f"Failed to process element: {position} of 'instances' list. Its keys are"
                f" {_names(instance)}, keys must be equal to: {_names(dtypes)}"
            )
    return {
        alias: _stacked([instance[alias] for instance in instances], dtype, alias)
        for alias, dtype in dtypes.items()
    }


def _require_alike(instances: list[Any], named: bool) -> None:
    if not named and dict not in set(map(type, instances)):
        return
    for position, instance in enumerate(instances):
        if _is_object(instance) != named:
            wanted, got = ("object", "list") if named else ("value/list", "object")
            message = f"Expecting {wanted} but got {got} at item {position} of input list"
            raise invalid_argument(message)


def _stacked(values: list[Any], dtype: tf.DType, alias: str | None = None) -> NDArray[Any]:
    """One value for each instance; the error says which one it is that does not fit."""
    try:
        return _tensor(values, dtype)
    except ServingError as error:
        position = first_failing(len(values), lambda _, end: _fails(values[:end], dtype))
        key = f" key: {alias}" if alias else ""
        message = f"Failed to process element: {position}{key} of 'instances' list. Error: "
        raise invalid_argument(f"{message}{error.code.name}: {error.message}") from error


def _fails(values: list[Any], dtype: tf.DType) -> bool:
    try:
        _tensor(values, dtype)
    except ServingError:
        return True
    return False


def _from_columns(inputs: Any, dtypes: Mapping[str, tf.DType]) -> Tensors:
    if not _is_object(inputs):
        if len(dtypes) > 1:
            raise invalid_argument(
                "inputs is a plain value/list, but expecting an object as multiple input tensors"
                " required as per tensorinfo_map"
            )
        inputs = dict.fromkeys(dtypes, inputs)
    tensors = {}
    for alias, dtype in dtypes.items():
        if alias not in inputs:
            raise invalid_argument(f"Missing named input: {alias} in 'inputs' object.")
        tensors[alias] = _tensor(inputs[alias], dtype)
    return tensors


def _tensor(value: Any, dtype: tf.DType) -> NDArray[Any]:
    """A JSON value, or lists of lists of them, as a dense tensor."""
    leaves, shape = _flatten(value)
    if dtype == tf.string:
        flat = _strings(leaves)
    elif dtype == tf.bool:
        _require(leaves, {bool}, dtype)
        flat = np.array(leaves, dtype=bool)
    elif dtype.is_integer and not dtype.is_quantized:
        flat = _integers(leaves, dtype)
    elif dtype.is_floating:
        flat = _floats(leaves, dtype)
    else:
        raise invalid_argument(f"JSON cannot be converted to type: {dtype.name}")
    return flat.reshape(shape)


def _flatten(value: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Unnests lists level by level; all lists of a level must have the same size."""
    leaves: list[Any] = [value]
    shape: list[int] = []
    while leaves and isinstance(leaves[0], list):
        if len(shape) == _MOST_DIMENSIONS:
            raise invalid_argument(f"Lists are nested more than {_MOST_DIMENSIONS} deep.")
        if set(map(type, leaves)) != {list}:
            raise invalid_argument(f"Values and lists are mixed at level: {len(shape)}")
        sizes = set(map(len, leaves))
        if len(sizes) > 1:
            size = next(len(leaf) for leaf in leaves if len(leaf) != len(leaves[0]))
            raise invalid_argument(
                f"Encountered list at unexpected size: {size} at level: {len(shape)}"
                f" expected size: {len(leaves[0])}"
            )
        shape.append(len(leaves[0]))
        leaves = list(itertools.chain.from_iterable(leaves))
    if list in set(map(type, leaves)):
        raise invalid_argument(f"Values and lists are mixed at level: {len(shape)}")
    return leaves, tuple(shape)


def _strings(leaves: Sequence[Any]) -> NDArray[Any]:
    flat = np.empty(len(leaves), dtype=object)
    flat[:] = [as_bytes(leaf) for leaf in leaves]
    return flat


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:
        # Line breaks and a missing end are no mistake for TensorFlow Serving.
        text = "".join(text.split()).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid_argument("Unable to base64 decode") from error


def _integers(leaves: list[Any], dtype: tf.DType) -> NDArray[Any]:
    _require(leaves, {int}, dtype)
    for leaf in (min(leaves), max(leaves)) if leaves else ():
        if not dtype.min <= leaf <= dtype.max:
            raise _type_error(leaf, dtype)
    return np.array(leaves, dtype=dtype.as_numpy_dtype)


def _floats(leaves: list[Any], dtype: tf.DType) -> NDArray[Any]:
    _require(leaves, {int, float}, dtype)
    wide = np.array(leaves, dtype=np.float64)
    with np.errstate(over="ignore"):
        array = wide.astype(dtype.as_numpy_dtype)
    lost = np.isinf(array) & ~np.isinf(wide)
    if lost.any():
        value = short_text(leaves[int(lost.argmax())])
        message = f"Cannot convert JSON value: {value} to {dtype.name} without loss of precision."
        raise invalid_argument(message)
    return array


def _require(leaves: list[Any], types: set[type], dtype: tf.DType) -> None:
    """Refuses leaves of any other type; True is no int here."""
    if not set(map(type, leaves)) <= types:
        raise _type_error(next(leaf for leaf in leaves if type(leaf) not in types), dtype)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and not is_b64(value)


def _names(keys: Mapping[str, Any]) -> str:
    return ",".join(sorted(keys)[:10])


def _type_error(value: Any, dtype: tf.DType) -> ServingError:
    return invalid_argument(
        f"JSON Value: {short_text(value)} Type: {_JSON_TYPES[type(value)]} is not of expected type:"
        f" {dtype.name}"
    )
