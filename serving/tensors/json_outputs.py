"""Output tensors as JSON of the REST API, numbers printed as TensorFlow Serving prints them."""

import base64
import json
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from serving.errors import invalid_argument
from serving.tensors.tensor_protos import Tensors

_BYTES_SUFFIX: Final = "_bytes"
_DIGITS: Final = {2: "%.5g", 4: "%.9g", 8: "%.17g"}


def outputs_to_json(outputs: Tensors, by_row: bool) -> str:
    """Writes the answer to a predict request.

    Args:
        outputs: value by alias; one output stands alone, several are an object.
        by_row: whether to write `predictions`, one for each instance, or `outputs`, whole tensors.

    Raises:
        ServingError: rows are asked for, and the outputs are not batched alike.
    """
    texts = {alias: _texts(value, _is_binary(alias)) for alias, value in outputs.items()}
    if by_row:
        return '{\n    "predictions": ' + _list(_rows(outputs, texts)) + "\n}"
    columns = {alias: _nested(text) for alias, text in texts.items()}
    whole = next(iter(columns.values())) if len(columns) == 1 else _object(columns)
    return '{\n    "outputs": ' + whole + "\n}"


def _rows(outputs: Tensors, texts: dict[str, NDArray[Any]]) -> list[str]:
    for alias, value in outputs.items():
        if value.ndim == 0:
            raise invalid_argument(f"Tensor name: {alias} has no shape information ")
    sizes = {alias: value.shape[0] for alias, value in outputs.items()}
    if len(set(sizes.values())) > 1:
        alias, first = next((a, s) for a, s in sizes.items() if s != next(iter(sizes.values())))
        raise invalid_argument(f"Tensor name: {alias} has inconsistent batch size: {first}")
    if len(texts) == 1:
        return [_nested(row) for row in next(iter(texts.values()))]
    rows = zip(*texts.values(), strict=True)
    return [_object(dict(zip(texts, map(_nested, row), strict=True))) for row in rows]


def _texts(array: NDArray[Any], binary: bool) -> NDArray[Any]:
    """The JSON text of every element, in an array of dtype object and the same shape."""
    flat = array.ravel()
    if array.dtype == object:
        texts = [_string(value, binary) for value in flat]
    elif array.dtype == bool:
        texts = ["true" if value else "false" for value in flat]
    elif np.issubdtype(array.dtype, np.integer):
        texts = [str(value) for value in flat.tolist()]
    else:
        texts = _floats(flat)
    result = np.empty(flat.shape, dtype=object)
    result[:] = texts
    return result.reshape(array.shape)


def _floats(flat: NDArray[Any]) -> list[str]:
    """Six digits where they round-trip, else as many as the type has; whole numbers get ".0"."""
    values = flat.astype(np.float64).tolist()
    short = ["%g" % value for value in values]  # noqa: UP031 (C's format is the specification)
    exact = np.array(short, dtype=np.float64).astype(flat.dtype) == flat
    long = _DIGITS[flat.dtype.itemsize]
    return [
        _decimal(text if enough else long % value)
        for text, enough, value in zip(short, exact, values, strict=True)
    ]


def _decimal(text: str) -> str:
    special = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}.get(text)
    if special is not None:
        return special
    return text if "." in text or "e" in text else text + ".0"


def _string(value: bytes, binary: bool) -> str:
    if binary:
        return json.dumps({"b64": base64.b64encode(value).decode("ascii")})
    return json.dumps(value.decode("utf-8", "replace"), ensure_ascii=False)


def _is_binary(alias: str) -> bool:
    return alias.endswith(_BYTES_SUFFIX)


def _nested(texts: Any) -> str:
    if isinstance(texts, str):
        return texts
    if texts.ndim == 0:
        return str(texts.item())
    if texts.ndim == 1:
        return _list(texts.tolist())
    return _list([_nested(text) for text in texts])


def _list(texts: list[str]) -> str:
    return "[" + ", ".join(texts) + "]"


def _object(texts: dict[str, str]) -> str:
    return "{" + ", ".join(f"{json.dumps(key)}: {text}" for key, text in texts.items()) + "}"
