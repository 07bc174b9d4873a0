"""JSON of the REST API to tensors."""

from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from serving.errors import ServingError
from serving.tensors.json_inputs import inputs_from_json


def _signature(**dtypes: tf.DType) -> meta_graph_pb2.SignatureDef:
    signature = meta_graph_pb2.SignatureDef()
    for alias, dtype in dtypes.items():
        signature.inputs[alias].dtype = dtype.as_datatype_enum
    return signature


def _error(document: dict[str, Any], **dtypes: tf.DType) -> str:
    with pytest.raises(ServingError) as caught:
        inputs_from_json(document, _signature(**dtypes))
    assert caught.value.http_status == 400
    return caught.value.message


def test_rows_of_base64_become_a_batch_of_bytes() -> None:
    document = {"instances": [{"b64": "AP8="}, {"b64": "AP8"}, "é"]}
    inputs, by_row = inputs_from_json(document, _signature(x=tf.string))
    assert by_row
    assert inputs["x"].tolist() == [b"\x00\xff", b"\x00\xff", "é".encode()]


def test_named_rows_and_columns_agree() -> None:
    signature = _signature(a=tf.float32, b=tf.int64)
    rows = {"instances": [{"a": [1, 2.5], "b": 3}, {"a": [0, -1], "b": 4}]}
    columns = {"inputs": {"a": [[1, 2.5], [0, -1]], "b": [3, 4]}}
    by_row, by_column = (inputs_from_json(document, signature)[0] for document in (rows, columns))
    for alias, dtype in (("a", np.float32), ("b", np.int64)):
        np.testing.assert_array_equal(by_row[alias], by_column[alias])
        assert by_row[alias].dtype == by_column[alias].dtype == dtype
    assert by_row["a"].tolist() == [[1.0, 2.5], [0.0, -1.0]]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "Missing 'inputs' or 'instances' key"),
        ({"instances": []}, "No values in 'instances' array"),
        ({"instances": 1}, "Excepting 'instances' to be an list/array"),
        ({"instances": [1], "inputs": [1]}, "expecting only one of 'inputs' or 'instances'"),
        ({"inputs": [[1, 2], [3]]}, "Encountered list at unexpected size: 1 at level: 1"),
        ({"inputs": [[1, 2], 3]}, "Values and lists are mixed at level: 1"),
        ({"inputs": [1, [2]]}, "Values and lists are mixed at level: 1"),
        ({"inputs": ["a"]}, 'JSON Value: "a" Type: String is not of expected type: float'),
        ({"inputs": [True]}, "JSON Value: true Type: Boolean is not of expected type: float32"),
        ({"inputs": {"b64": "AAAA"}}, "Type: Object is not of expected type: float32"),
        ({"inputs": [1e39]}, "Cannot convert JSON value: 1e+39 to float32 without loss"),
        ({"instances": [[1], [2], [1, 2]]}, "Failed to process element: 2 of 'instances' list."),
        ({"instances": [[1, 2], [[1], [2]]]}, "Failed to process element: 1 of 'instances' list."),
        ({"instances": [1, "a", 2]}, "Failed to process element: 1 of 'instances' list."),
        ({"instances": [{"x": 1}, {"x": []}]}, "Failed to process element: 1 key: x of"),
        ({"instances": [1, {"x": 1}]}, "Expecting value/list but got object at item 1"),
        ({"instances": [{"x": 1, "y": 1}]}, "Failed to process element: 0 of 'instances' list."),
        ({"instances": [{"x": 1}, {}]}, "keys must be equal to: x"),
    ],
)
def test_what_does_not_fit_is_told(document: dict[str, Any], message: str) -> None:
    assert message in _error(document, x=tf.float32)


def test_integers_are_neither_rounded_nor_wrapped() -> None:
    assert "is not of expected type: int32" in _error({"inputs": [1.0]}, x=tf.int32)
    assert "is not of expected type: uint8" in _error({"inputs": [1, 256]}, x=tf.uint8)


def test_bad_base64_is_told() -> None:
    assert _error({"inputs": [{"b64": "*"}]}, x=tf.string) == "Unable to base64 decode"
    message = _error({"inputs": [{"b64": "AA", "x": 1}]}, x=tf.string)
    assert "not formatted correctly for base64 data" in message


def test_several_inputs_need_names() -> None:
    message = _error({"inputs": [1]}, a=tf.float32, b=tf.float32)
    assert "inputs is a plain value/list, but expecting an object" in message
    message = _error({"inputs": {"a": 1}}, a=tf.float32, b=tf.float32)
    assert message == "Missing named input: b in 'inputs' object."


def test_lists_that_are_nested_deeply_are_refused() -> None:
    value: Any = 1
    for _ in range(900):
        value = [value]
    assert "nested more than 32 deep" in _error({"inputs": value}, x=tf.float32)


@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (tf.bool, [True, False]),
        (tf.uint8, [0, 255]),
        (tf.int8, [-128, 127]),
        (tf.uint32, [0, 2**32 - 1]),
        (tf.int64, [-(2**63), 2**63 - 1]),
        (tf.uint64, [0, 2**64 - 1]),
        (tf.float16, [0.5, -65504]),
        (tf.bfloat16, [0.5, -2]),
        (tf.float64, [0.1, 1e300]),
    ],
)
def test_every_type_of_value_is_read(dtype: tf.DType, values: list[Any]) -> None:
    inputs, _ = inputs_from_json({"inputs": values}, _signature(x=dtype))
    assert inputs["x"].dtype == dtype.as_numpy_dtype
    assert inputs["x"].tolist() == values


def test_base64_may_have_line_breaks() -> None:
    inputs, _ = inputs_from_json({"inputs": {"b64": "AP8A\nAP8"}}, _signature(x=tf.string))
    assert inputs["x"][()] == b"\x00\xff\x00\x00\xff"
