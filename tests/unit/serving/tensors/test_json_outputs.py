"""Tensors to JSON of the REST API."""

import json

import numpy as np
import pytest
import tensorflow as tf

from serving.errors import ServingError
from serving.tensors.json_outputs import outputs_to_json


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
    values = np.array([[0.2, 1 / 3], [1, 9e6], [3e-5, 1e-45]], np.float32)
    text = outputs_to_json({"x": values}, by_row=False)
    assert b"[[0.2,0.33333334],[1.0," in text
    read = np.array(json.loads(text)["outputs"], np.float32)
    np.testing.assert_array_equal(read, values)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_numbers_that_are_not_finite_are_written(dtype: str) -> None:
    values = np.array([0.5, np.nan, np.inf, -np.inf], dtype)
    text = outputs_to_json({"x": values}, by_row=True)
    assert text == b'{"predictions":[0.5,NaN,Infinity,-Infinity]}\n'


def test_every_type_of_value_is_written() -> None:
    outputs = {
        "a": np.array([[1, 2]], np.uint8),
        "b": np.array([True]),
        "c": np.array([2**64 - 1], np.uint64),
        "d": np.array([0.5], tf.bfloat16.as_numpy_dtype),
        "e": np.arange(6).reshape(1, 2, 3).transpose(0, 2, 1),
    }
    expected = {"a": [1, 2], "b": True, "c": 2**64 - 1, "d": 0.5, "e": [[0, 3], [1, 4], [2, 5]]}
    assert json.loads(outputs_to_json(outputs, by_row=True)) == {"predictions": [expected]}
    scalar = outputs_to_json({"x": np.array(0.5, np.float32)}, by_row=False)
    assert json.loads(scalar) == {"outputs": 0.5}


def test_rows_need_one_batch() -> None:
    with pytest.raises(ServingError, match="has no shape information"):
        outputs_to_json({"x": np.array(1.0)}, by_row=True)
    with pytest.raises(ServingError, match="inconsistent batch size"):
        outputs_to_json({"x": np.zeros(2), "y": np.zeros(3)}, by_row=True)


def test_complex_numbers_are_refused_rather_than_halved() -> None:
    with pytest.raises(ServingError, match="output y has type complex64, which JSON cannot hold"):
        outputs_to_json({"y": np.array([1 + 2j], np.complex64)}, by_row=False)
