"""JSON of the REST API to and from NumPy arrays, with TensorFlow Serving's rules and messages.

The formats are those of https://www.tensorflow.org/tfx/serving/api_rest#predict_api: "row"
(`instances` to `predictions`) and "column" (`inputs` to `outputs`).
"""

import base64
import binascii
import itertools
import json
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from serving.errors import ServingError, invalid_argument
from serving.tensors.tensor_protos import SignatureDef, Tensors

_B64: Final = "b64"
_LONGEST_DEBUG_TEXT: Final = 256
_DTYPE_NAMES: Final = {"float32": "float", "float64": "double"}
_JSON_TYPES: Final = {
    dict: "Object",
    list: "Array",
    str: "String",
    int: "Number",
    float: "Number",
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
    if "instances" in document and "inputs" in document:
        text = "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist"
        raise _format_error(document, text)
    if "instances" in document:
        instances = document["instances"]
        if not isinstance(instances, list):
            raise _format_error(document, "Excepting 'instances' to be an list/array")
        if not instances:
            raise _format_error(document, "No values in 'instances' array")
        return _from_rows(instances, dtypes), True
    if "inputs" in document:
        return _from_columns(document["inputs"], dtypes), False
    raise invalid_argument("Missing 'inputs' or 'instances' key")


def _from_rows(instances: list[Any], dtypes: Mapping[str, tf.DType]) -> Tensors:
    named = _is_object(instances[0])
    if not named and len(dtypes) > 1:
        raise invalid_argument(
            "instances is a plain list, but expecting list of objects as multiple input tensors"
            " required as per tensorinfo_map"
        )
    columns: dict[str, list[NDArray[Any]]] = {alias: [] for alias in dtypes}
    for position, instance in enumerate(instances):
        if _is_object(instance) != named:
            wanted, got = ("object", "list") if named else ("value/list", "object")
            message = f"Expecting {wanted} but got {got} at item {position} of input list"
            raise invalid_argument(message)
        values = instance if named else {next(iter(dtypes)): instance}
        where = f"Failed to process element: {position}"
        for alias, value in values.items():
            key = f" key: {alias}" if named else ""
            _append(columns, alias, value, dtypes, f"{where}{key} of 'instances' list.")
        if set(values) != set(dtypes):
            raise invalid_argument(
                f"{where} of 'instances' list. JSON object: {_debug_text(instance)}"
                f" keys must be equal to: {','.join(sorted(dtypes))}"
            )
    return {alias: np.stack(values) for alias, values in columns.items()}


def _append(
    columns: dict[str, list[NDArray[Any]]],
    alias: str,
    value: Any,
    dtypes: Mapping[str, tf.DType],
    where: str,
) -> None:
    try:
        if alias not in dtypes:
            raise invalid_argument(f"JSON object: does not have named input: {alias}")
        tensor = _tensor(value, dtypes[alias])
        if columns[alias]:
            _require_like(columns[alias][0], tensor)
    except ServingError as error:
        message = f"{where} Error: {error.code.name}: {error.message}"
        raise invalid_argument(message) from error
    columns[alias].append(tensor)


def _require_like(first: NDArray[Any], tensor: NDArray[Any]) -> None:
    if tensor.size != first.size:
        raise invalid_argument(f"Expecting tensor size: {first.size} but got: {tensor.size}")
    if tensor.shape != first.shape:
        expected, got = _shape_text(first), _shape_text(tensor)
        raise invalid_argument(f"Expecting shape {expected} but got: {got}")


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
        flat = np.empty(len(leaves), dtype=object)
        flat[:] = [_bytes(leaf) for leaf in leaves]
    elif dtype == tf.bool:
        _require(leaves, (bool,), dtype)
        flat = np.array(leaves, dtype=bool)
    elif dtype.is_integer:
        flat = _integers(leaves, dtype)
    elif dtype in (tf.float16, tf.float32, tf.float64):
        flat = _floats(leaves, dtype)
    else:
        message = f"Conversion of JSON Value: {_debug_text(value)} to type: {_dtype_name(dtype)}"
        raise invalid_argument(message)
    return flat.reshape(shape)


def _flatten(value: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Unnests lists level by level; the first element of each level sets the expected size."""
    leaves: list[Any] = [value]
    shape: list[int] = []
    while leaves and isinstance(leaves[0], list):
        level, size = len(shape), len(leaves[0])
        for leaf in leaves:
            if not isinstance(leaf, list):
                raise invalid_argument(
                    f"JSON Value: {_debug_text(leaf)} found at incorrect level: {level + 1} in the"
                    f" JSON DOM. Expected at level: {_depth(leaves[0]) + level}"
                )
            if len(leaf) != size:
                raise invalid_argument(
                    f"Encountered list at unexpected size: {len(leaf)} at level: {level}"
                    f" expected size: {size}"
                )
        shape.append(size)
        leaves = list(itertools.chain.from_iterable(leaves))
    if any(isinstance(leaf, list) for leaf in leaves):
        level = len(shape)
        message = f"Encountered list at unexpected level: {level} expected < {level}"
        raise invalid_argument(message)
    return leaves, tuple(shape)


def _depth(value: Any) -> int:
    depth = 0
    while isinstance(value, list):
        depth += 1
        value = value[0] if value else None
    return depth


def _bytes(leaf: Any) -> bytes:
    if isinstance(leaf, str):
        return leaf.encode("utf-8", "surrogatepass")
    if not isinstance(leaf, dict):
        raise _type_error(leaf, tf.string)
    if not _is_b64(leaf):
        raise _format_error(leaf, "not formatted correctly for base64 data")
    text = leaf[_B64].rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid_argument("Unable to base64 decode") from error


def _integers(leaves: list[Any], dtype: tf.DType) -> NDArray[Any]:
    _require(leaves, (int,), dtype)
    limits = np.iinfo(dtype.as_numpy_dtype)
    for leaf in (min(leaves), max(leaves)) if leaves else ():
        if not limits.min <= leaf <= limits.max:
            raise _type_error(leaf, dtype)
    return np.array(leaves, dtype=dtype.as_numpy_dtype)


def _floats(leaves: list[Any], dtype: tf.DType) -> NDArray[Any]:
    _require(leaves, (int, float), dtype)
    limits = np.finfo(dtype.as_numpy_dtype)
    largest_whole = 2 ** (limits.nmant + 1) - 1
    for leaf in leaves:
        limit = largest_whole if isinstance(leaf, int) else float(limits.max)
        if abs(leaf) > limit and leaf not in (np.inf, -np.inf):
            raise invalid_argument(
                f"Cannot convert JSON value: {_debug_text(leaf)} to {_dtype_name(dtype)}"
                " without loss of precision."
            )
    return np.array(leaves, dtype=dtype.as_numpy_dtype)


def _require(leaves: list[Any], types: tuple[type, ...], dtype: tf.DType) -> None:
    """Refuses leaves of any other type; True is no int here."""
    if not set(map(type, leaves)) <= set(types):
        raise _type_error(next(leaf for leaf in leaves if type(leaf) not in types), dtype)


def _is_b64(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {_B64} and isinstance(value[_B64], str)


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and not _is_b64(value)


def _type_error(value: Any, dtype: tf.DType) -> ServingError:
    kind = str(value) if isinstance(value, bool) else _JSON_TYPES[type(value)]
    return invalid_argument(
        f"JSON Value: {_debug_text(value)} Type: {kind} is not of expected type:"
        f" {_dtype_name(dtype)}"
    )


def _format_error(value: Any, text: str) -> ServingError:
    return invalid_argument(f"JSON Value: {_debug_text(value)} {text}")


def _debug_text(value: Any) -> str:
    return json.dumps(value, indent=4, ensure_ascii=False)[:_LONGEST_DEBUG_TEXT]


def _dtype_name(dtype: tf.DType) -> str:
    return _DTYPE_NAMES.get(dtype.name, dtype.name)


def _shape_text(array: NDArray[Any]) -> str:
    return "[" + ",".join(map(str, array.shape)) + "]"
