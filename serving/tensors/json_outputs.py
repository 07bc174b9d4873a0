"""Output tensors as JSON of the REST API."""

import base64
from typing import Any, Final

import numpy as np
import orjson
from numpy.typing import NDArray

from serving.errors import invalid_argument
from serving.tensors.tensor_protos import Tensors

_BYTES_SUFFIX: Final = "_bytes"
_NATIVE_KINDS: Final = "?biuf"
_COMPLEX_KIND: Final = "c"


def outputs_to_json(outputs: Tensors, by_row: bool) -> bytes:
    """Writes the answer to a predict request.

    Numbers have as many digits as it takes to read the same value; those that are not finite are
    written as NaN, Infinity and -Infinity, which are no JSON, as TensorFlow Serving writes them.

    Args:
        outputs: value by alias; one output stands alone, several are an object.
        by_row: whether to write `predictions`, one for each instance, or `outputs`, whole tensors.

    Raises:
        ServingError: rows are asked for, and the outputs are not batched alike; or an output holds
            complex numbers, for which there is no JSON.
    """
    values = {alias: _jsonable(value, alias) for alias, value in outputs.items()}
    alone = next(iter(values.values())) if len(values) == 1 else None
    if not by_row:
        return to_json({"outputs": values if alone is None else alone})
    _require_batches(outputs)
    if alone is not None:
        return to_json({"predictions": alone})
    rows = zip(*values.values(), strict=True)
    return to_json({"predictions": [dict(zip(values, row, strict=True)) for row in rows]})


def to_json(document: Any) -> bytes:
    """JSON in UTF-8, with a line break at its end; arrays of numbers may be anywhere in it."""
    return orjson.dumps(document, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE)


def number(value: Any) -> Any:
    """A number for `to_json`, by its name if it is not finite."""
    if np.isfinite(value):
        return value
    return orjson.Fragment("NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity")


def _require_batches(outputs: Tensors) -> None:
    for alias, value in outputs.items():
        if value.ndim == 0:
            raise invalid_argument(f"Tensor name: {alias} has no shape information ")
    sizes = {alias: value.shape[0] for alias, value in outputs.items()}
    first = next(iter(sizes.values()))
    for alias, size in sizes.items():
        if size != first:
            message = f"Tensor name: {alias} has inconsistent batch size: {size} expecting: {first}"
            raise invalid_argument(message)


def _jsonable(array: NDArray[Any], alias: str) -> Any:
    if array.dtype == object:
        text = _base64 if alias.endswith(_BYTES_SUFFIX) else _string
        return _map_leaves(text, array.tolist())
    if array.dtype.kind == _COMPLEX_KIND:
        raise invalid_argument(
            f"The output {alias} has type {array.dtype}, which JSON cannot hold. Ask over gRPC."
        )
    if array.dtype.kind not in _NATIVE_KINDS:
        array = array.astype(np.float32)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        return _map_leaves(number, array.tolist())
    return np.ascontiguousarray(array) if array.ndim else array[()]


def _map_leaves(function: Any, value: Any) -> Any:
    if isinstance(value, list):
        return [_map_leaves(function, item) for item in value]
    return function(value)


def _string(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _base64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode("ascii")}
