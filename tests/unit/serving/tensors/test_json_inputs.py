"""JSON of the REST API to and from tensors."""

import json
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.protobuf import meta_graph_pb2

from serving.errors import ServingError
from serving.tensors.json_inputs import inputs_from_json
from serving.tensors.json_outputs import outputs_to_json


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
        ({"inputs": [[1, 2], 3]}, "JSON Value: 3 found at incorrect level: 2 in the JSON DOM."),
        ({"inputs": [1, [2]]}, "Encountered list at unexpected level: 1 expected < 1"),
        ({"inputs": ["a"]}, 'JSON Value: "a" Type: String is not of expected type: float'),
        ({"inputs": [True]}, "JSON Value: true Type: True is not of expected type: float"),
        ({"inputs": {"b64": "AAAA"}}, "Type: Object is not of expected type: float"),
        ({"inputs": [16777217]}, "Cannot convert JSON value: 16777217 to float without loss"),
        ({"instances": [[1], [1, 2]]}, "Expecting tensor size: 1 but got: 2"),
        ({"instances": [[1, 2], [[1], [2]]]}, "Expecting shape [2] but got: [2,1]"),
        ({"instances": [1, {"x": 1}]}, "Expecting value/list but got object at item 1"),
        ({"instances": [{"y": 1}]}, "Failed to process element: 0 key: y of 'instances' list."),
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


def test_one_output_stands_alone_and_several_are_objects() -> None:
    score = np.array([0.5, 1.0], np.float32)
    label = np.array([b"a", "é".encode()], object)
    assert json.loads(outputs_to_json({"s": score}, by_row=True)) == {"predictions": [0.5, 1.0]}
    both = {"s": score, "l": label}
    assert json.loads(outputs_to_json(both, by_row=True)) == {
        "predictions": [{"s": 0.5, "l": "a"}, {"s": 1.0, "l": "é"}]
    }
    assert json.loads(outputs_to_json(both, by_row=False)) == {
        "outputs": {"s": [0.5, 1.0], "l": ["a", "é"]}
    }


def test_bytes_outputs_are_base64() -> None:
    text = outputs_to_json({"raw_bytes": np.array([b"\xff"], object)}, by_row=True)
    assert json.loads(text) == {"predictions": [{"b64": "/w=="}]}


def test_numbers_are_printed_short_and_survive() -> None:
    values = np.array([0.2, 1 / 3, 1, 9e6, 3e-5, np.nan, np.inf, -np.inf], np.float32)
    text = outputs_to_json({"x": values}, by_row=False)
    assert "[0.2, 0.333333343, 1.0, 9e+06, 3e-05, NaN, Infinity, -Infinity]" in text
    read = np.array(json.loads(text)["outputs"], np.float32)
    np.testing.assert_array_equal(read, values)


def test_rows_need_one_batch() -> None:
    with pytest.raises(ServingError, match="has no shape information"):
        outputs_to_json({"x": np.array(1.0)}, by_row=True)
    with pytest.raises(ServingError, match="inconsistent batch size"):
        outputs_to_json({"x": np.zeros(2), "y": np.zeros(3)}, by_row=True)
